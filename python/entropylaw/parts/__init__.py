"""A selection from a pool that lies in parts, each where its records are.

A part is a state machine: what it answers depends on its records and on what it was asked before, and on nothing else.
So a part that is lost is made again from its files and asked the same again. Whoever leads sees the parts through what
they answer alone, and holds no text of theirs.
"""
