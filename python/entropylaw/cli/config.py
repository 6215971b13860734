"""Options from a file: ``--config run.toml`` for every command; ``entropylaw config``, which prints those in effect.

Nothing here knows any option: keys, types and choices are those of the command's parser.
"""

import argparse
import difflib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from entropylaw.cli.files import check_named
from entropylaw.cli.parser import Parser
from entropylaw.cli.terminal import print_text
from entropylaw.errors import EntropyLawError, clause
from entropylaw.targets import STANDARD, File, check_targets

_SECRET = "storage-option"
"""The option whose values are never printed: keys and passwords are among them."""
_NAMES: dict[type, str] = {bool: "a boolean", int: "a whole number", float: "a number", str: "text", list: "a list"}


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds ``--config`` to every command, and the command ``config``. Call it after all others."""
    for parser in leaves(commands):
        # A file may set what is off by default; then the command line has to be able to take it back.
        for action in list(parser._actions):
            if action.dest != "help" and action.nargs == 0 and action.const is True:
                name = max(action.option_strings, key=len).removeprefix("--")
                parser.add_argument(f"--no-{name}", dest=action.dest, action="store_false", help=argparse.SUPPRESS)
        parser.add_argument("--config", metavar="FILE", help="options from a TOML file; those given here go first")
    config = commands.add_parser(
        "config",
        help="print the options in effect, as a file for --config",
        description="Print the options that a command would run with, from --config and the command line, as TOML.",
    )
    config.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND ...", help="a command and its options")
    config.set_defaults(run=lambda arguments: print_text(_effective(commands, arguments.command)), quiet=False)


def read(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", argv: Sequence[str]) -> None:
    """Makes the options of the file that ``argv`` names with ``--config`` the defaults of its command.

    Raises
    ------
    EntropyLawError
        If the file can't be read, has a key that is no option, or a value of the wrong type.
    """
    found = _command(commands, argv)
    if found is None:
        return
    parser, rest = found
    path = _file(found)
    if path is None:
        return
    options = _options(parser)
    written: dict[str, str] = {}
    for key, value in _load(path).items():
        name = key.replace("_", "-")
        if (other := written.setdefault(name, key)) != key:
            raise EntropyLawError(f"{path}: {other!r} and {key!r} are the same option; give one of them")
        action = options.get(name)
        if action is None:
            close = difflib.get_close_matches(name, options, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(options)}"
            raise EntropyLawError(f"{path}: {key!r} is no option of `{parser.prog}`; {hint}")
        checked = _value(action, value, f"{path}: {key}")
        # What the command line says instead of an option, because only one of them may be given, goes first too.
        for group in parser._mutually_exclusive_groups:
            if action in group._group_actions:
                group.required = False
                if any(_named(other, rest) for other in group._group_actions):
                    checked = action.default
        parser.set_defaults(**{action.dest: checked})
        _make_optional(action)


def _file(found: tuple[argparse.ArgumentParser, list[str]]) -> str | None:
    """The file that a command line names with ``--config``."""
    parser, rest = found
    finder = argparse.ArgumentParser(prog=parser.prog, add_help=False)
    finder.add_argument("--config")
    path: str | None = finder.parse_known_args(rest)[0].config
    if path is not None:
        check_named(path, "the file of options")
    return path


def _effective(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", argv: Sequence[str]) -> str:
    """The options of a command in effect, as TOML."""
    found = _command(commands, argv)
    if found is None:
        names = ", ".join(name for name in commands.choices if name != "config")
        raise EntropyLawError(f"name a command, for example `entropylaw config select`; there are {names}")
    path = _file(found)
    check_targets([File(STANDARD, "what is printed")], [File(path, "the file of options")] if path else ())
    read(commands, argv)
    parser, rest = found
    options = _options(parser)
    for action in options.values():
        _make_optional(action)
    for group in parser._mutually_exclusive_groups:
        group.required = False
    arguments = parser.parse_args(rest)
    values = {key: getattr(arguments, action.dest) for key, action in options.items()}
    # What is printed may be kept, and passed on.
    secret = values.pop(_SECRET, None)
    lines = [f"# The options of `{parser.prog}` in effect; pass this file with --config."]
    lines += [f"{key} = {_toml(value)}" for key, value in values.items() if value not in (None, [])]
    unset = {key: options[key] for key, value in values.items() if value in (None, [])}
    if unset:
        width = max(map(len, unset))
        lines += ["", "# Not set:"]
        lines += [f"# {key:{width}}  {(action.help or '') % vars(action)}".rstrip() for key, action in unset.items()]
    if secret:
        lines += ["", f"# {_SECRET} is set, and not printed: keys and passwords are given by it."]
    return "\n".join(lines) + "\n"


def leaves(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> Iterator[argparse.ArgumentParser]:
    """The parsers of all commands, of commands inside commands too."""
    for parser in commands.choices.values():
        inner = _commands_of(parser)
        if inner is None:
            yield parser
        else:
            yield from leaves(inner)


def _commands_of(parser: argparse.ArgumentParser) -> "argparse._SubParsersAction[argparse.ArgumentParser] | None":
    return next((action for action in parser._actions if isinstance(action, argparse._SubParsersAction)), None)


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", argv: Sequence[str]
) -> tuple[argparse.ArgumentParser, list[str]] | None:
    """The parser of the command that ``argv`` begins with, and the rest of ``argv``."""
    level: argparse._SubParsersAction[argparse.ArgumentParser] | None = commands
    rest = list(argv)
    parser = None
    while level is not None:
        if not rest or rest[0] not in level.choices or rest[0] == "config":
            return None
        parser = level.choices[rest.pop(0)]
        level = _commands_of(parser)
    return (parser, rest) if parser else None


def _options(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """What a file may set, by key: every option and argument of a command, with dashes as on the command line."""
    assert isinstance(parser, Parser)
    parser.complete()
    return {
        action.dest.replace("_", "-"): action
        for action in parser._actions
        if action.dest not in ("help", "config") and action.help != argparse.SUPPRESS
    }


def _named(action: argparse.Action, argv: Sequence[str]) -> bool:
    return any(word.split("=")[0] in action.option_strings for word in argv)


def _make_optional(action: argparse.Action) -> None:
    action.required = False
    if not action.option_strings:
        action.nargs = "*" if action.nargs == "+" else action.nargs or "?"


def _load(path: str) -> dict[str, Any]:
    import tomllib

    from entropylaw.untrusted import brief

    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise EntropyLawError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        # Python says of a key that is there twice that a value can't be overwritten.
        reason = str(error).replace("Cannot overwrite a value", "a key is there twice; give it once")
        raise EntropyLawError(f"{path}: is not TOML: {brief(clause(reason))}") from None
    except UnicodeDecodeError:
        raise EntropyLawError(f"{path}: is not UTF-8; save it as that") from None
    except ValueError:
        raise EntropyLawError(f"{path}: has a number of more digits than Python reads") from None
    except RecursionError:
        raise EntropyLawError(f"{path}: is nested too deeply to be read as TOML") from None


def _value(action: argparse.Action, value: Any, where: str) -> Any:
    """A value as the command line would have made it."""
    if action.nargs == 0:
        return _checked(value, (bool,), where)
    if action.dest == _SECRET.replace("-", "_"):
        texts = value if isinstance(value, list) else [value]
        if not all(isinstance(text, str) for text in texts):
            raise EntropyLawError(f"{where} is not 'NAME=VALUE', nor a list of such texts")
        return texts
    if isinstance(action, argparse._AppendAction) or action.nargs in ("+", "*") or isinstance(action.nargs, int):
        items = value if isinstance(value, list) else [value]
        return [_item(action, item, where) for item in items]
    return _item(action, value, where)


def _item(action: argparse.Action, value: Any, where: str) -> Any:
    kind: Callable[[str], Any] | None = action.type  # type: ignore[assignment]
    if kind is int:
        value = _checked(value, (int,), where)
    elif kind is float:
        try:
            value = float(_checked(value, (float, int), where))
        except OverflowError:
            raise EntropyLawError(f"{where} is too large a number") from None
    elif kind is None:
        value = _checked(value, (str,), where)
    else:
        # What is written as text may look like a number, such as a budget; or like a list.
        if isinstance(value, list):
            value = ",".join(_checked(item, (str,), where) for item in value)
        text = str(_checked(value, (str, int, float), where))
        try:
            value = kind(text)
        except (argparse.ArgumentTypeError, ValueError) as error:
            raise EntropyLawError(f"{where}: {error}") from None
    if action.choices is not None and value not in action.choices:
        raise EntropyLawError(f"{where} is {value!r}; it must be one of {', '.join(map(repr, action.choices))}")
    return value


def _checked(value: Any, kinds: tuple[type, ...], where: str) -> Any:
    if isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds):
        return value
    from entropylaw.untrusted import brief

    found = _NAMES.get(type(value), "a table" if isinstance(value, dict) else "a date or time")
    wanted = " or ".join(_NAMES[kind] for kind in kinds)
    raise EntropyLawError(f"{where} is {found} ({brief(str(value)[:40])}); it must be {wanted}")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    # JSON escapes what TOML has to, but for one character; and a terminal may be what this is printed to.
    return "".join(
        character if character.isprintable() else f"\\U{ord(character):08x}"
        for character in json.dumps(str(value), ensure_ascii=False)
    )
