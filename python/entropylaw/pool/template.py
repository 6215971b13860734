"""Renderings that a user writes down: Jinja templates, by minijinja, which runs them in a sandbox."""

from collections.abc import Callable
from typing import Any

from entropylaw.errors import EntropyLawError
from entropylaw.pool.schema import RecordError
from entropylaw.storage.objects import read_bytes

_ENDINGS = (".jinja", ".jinja2", ".j2")
_MARKS = ("{{", "{%")
_STEPS = 250_000_000
"""What a template may do for a record, some ten seconds of it: a manifest may hold one that never ends. A step is a
tag, an operation, or a byte that a filter makes."""


def is_template(render: str) -> bool:
    """Whether ``render`` is the text of a template itself."""
    return any(mark in render for mark in _MARKS)


def is_template_file(render: str) -> bool:
    """Whether ``render`` is the name of a file with a template."""
    return not is_template(render) and render.lower().endswith(_ENDINGS)


def template_text(render: str) -> str | None:
    """The template that ``render`` is, or that lies in the file that it names; None if it is neither.

    Raises
    ------
    EntropyLawError
        If the file can't be read, or is no template.
    """
    if is_template(render):
        return render
    if not is_template_file(render):
        return None
    try:
        # Editors on Windows begin files with a mark, which is no part of the text.
        text = read_bytes(render).decode("utf-8-sig")
    except OSError as error:
        raise EntropyLawError(f"{render}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise EntropyLawError(f"{render}: is not UTF-8; save it as that") from None
    if not is_template(text):
        raise EntropyLawError(f"{render}: is not a template: it has no {{{{ field }}}}")
    return text


def compiled(text: str) -> Callable[[Any], str]:
    """A function that renders records by a template, which sees the record as ``record``, its fields by their names.

    It raises RecordError for a record that lacks a field that the template writes. Asking for one (``{% if input %}``)
    is allowed. A field that is null is written as nothing.

    Raises
    ------
    EntropyLawError
        If the template can't be understood, or minijinja is missing.
    """
    try:
        import minijinja
    except ImportError:
        raise EntropyLawError(
            "rendering by a template needs minijinja; install it with: pip install 'entropylaw[template]'"
        ) from None
    try:
        # Its types don't know of "semi_strict" yet.
        options: dict[str, Any] = {"undefined_behavior": "semi_strict", "finalizer": _shown}
        environment = minijinja.Environment(**options)
        environment.fuel = _STEPS
        environment.add_template("template", text)
    except minijinja.TemplateError as error:
        raise EntropyLawError(f"the template can't be understood: {_reason(error)}") from None

    def render(record: Any) -> str:
        fields = record if isinstance(record, dict) else {}
        try:
            sample: str = environment.render_template("template", **{"record": record, **fields})
        except minijinja.TemplateError as error:
            alone = "a template stands alone: write what it includes into it"
            remedy = alone if "template not found" in str(error) else None
            raise RecordError(f"the template can't be rendered: {_reason(error)}", remedy) from None
        except Exception as error:
            # A method of a list or an object, which Python has.
            raise RecordError(f"the template can't be rendered: {_reason(error)}") from None
        return sample

    return render


def _shown(value: Any) -> Any:
    """What stands in a text for a value: nothing for null, what Jinja makes of all others."""
    return "" if value is None else NotImplemented


def _reason(error: Exception) -> str:
    """What minijinja says on its first line; a picture of the template follows."""
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return first.replace("in template:", "in the template's line ")
