"""A real language model as the judge of subsets: ``python -m judge --help``, with ``benches/`` on the path."""
