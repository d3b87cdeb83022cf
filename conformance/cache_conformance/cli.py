"""The console script ``cache-conformance``: reads the contract, compares reports, holds targets."""

from __future__ import annotations

import argparse
import difflib
import inspect
import json
import os
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from cache_conformance import (
    __version__,
    candidate,
    contract_page,
    environment,
    report,
    self_test,
    standing_target,
)
from cache_conformance.clause import Clause, Level, contract, registry
from cache_conformance.effort import OPTIONS as EFFORT
from cache_conformance.effort import Effort
from cache_conformance.explanation import Unplayable, explanation
from cache_conformance.options import BadOption
from cache_conformance.report import comparison
from cache_conformance.report.extra import MissingExtra
from cache_conformance.report.guide import guide

PROGRAM = "cache-conformance"
LEVELS = [str(level) for level in Level]
WRONG = UNAVAILABLE = 1
USAGE = 2


class Refusal(Exception):
    """The command cannot be carried out; the message is one line, ``status`` the exit status."""

    def __init__(self, message: str, status: int = USAGE) -> None:
        super().__init__(message)
        self.status = status


class _Parser(argparse.ArgumentParser):
    """A parser that complains in one line."""

    def error(self, message: str) -> NoReturn:
        raise Refusal(message)


_ONE_LINE = (
    *(BadOption, candidate.BadRecipe, MissingExtra),
    *(report.UnreadableReport, standing_target.Refused),
)
"""Errors whose message is one line for the person who gave the command."""


def main(argv: list[str] | None = None) -> int:
    """Run the command that the arguments name, and return the exit status."""
    try:
        arguments = _parser().parse_args(argv)
        arguments.run(arguments)
        sys.stdout.flush()
    except Refusal as refusal:
        return _complain(refusal, refusal.status)
    except _ONE_LINE as error:
        return _complain(error, USAGE)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _complain(error: Exception, status: int) -> int:
    print(f"{PROGRAM}: {error}", file=sys.stderr)
    return status


def _parser() -> _Parser:
    parser = _Parser(prog=PROGRAM, description="Django's cache contract, clause by clause.")
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    command = commands.add_parser("list", help="list the clauses, one a line")
    command.add_argument("--chapter", metavar="NAME", help="only this chapter")
    command.add_argument("--level", type=str.upper, choices=LEVELS, help="only this level")
    command.add_argument("--markdown", action="store_true", help="print the whole contract")
    command.set_defaults(run=_list)

    command = commands.add_parser("explain", help="tell all about one clause")
    command.add_argument("clause", metavar="CLAUSE")
    command.set_defaults(run=_explain)

    command = commands.add_parser(
        "compare", help="merge JSON reports, or run backends, side by side"
    )
    command.add_argument("reports", metavar="REPORT", nargs="*", type=Path)
    command.add_argument(
        "--cache-backend", metavar="PATH", action="append", default=[], help="a backend to run"
    )
    command.add_argument("--recipe", metavar="TOML", type=Path, help="the backends to run")
    command.add_argument(
        "--keep", metavar="FOLDER", type=Path, help="keep their reports, run the rest"
    )
    command.add_argument(
        "--cache-tier",
        metavar="TIERS",
        default=",".join(candidate.TIERS),
        help="the tiers to run (default: contract,concurrency,benchmark)",
    )
    for bound, told in EFFORT.items():
        default = getattr(Effort, bound)
        command.add_argument(f"--cache-max-{bound}", metavar="N", default=default, help=told)
    command.add_argument(
        "--format", choices=("md", "html", "json", "guide"), help="md unless -o tells"
    )
    command.add_argument("-o", "--output", metavar="FILE", type=Path, help="in place of stdout")
    command.set_defaults(run=_compare)

    command = commands.add_parser("self-test", help="show that the kit catches faults here")
    command.set_defaults(run=_self_test)

    targets = commands.add_parser("targets", help="hold a real server until it is taken down")
    actions = targets.add_subparsers(metavar="up|down|status", required=True)
    for name, run, told in (
        ("up", _up, "start a server, print its LOCATION and hold it until Ctrl-C or down"),
        ("down", _down, "have the server that another up holds stopped"),
        ("status", _status, "print the LOCATION of the server that an up holds"),
    ):
        action = actions.add_parser(name, help=told, description=told)
        action.add_argument("name", metavar="NAME[:MEMBERS][:PROVIDER]")
        action.set_defaults(run=run)
        if run is _up:
            action.add_argument("--provider", help="where the server comes from")
    return parser


def _list(arguments: argparse.Namespace) -> None:
    environment.configure()
    if arguments.markdown:
        if arguments.chapter or arguments.level:
            raise Refusal("--markdown prints the whole contract: no --chapter, no --level")
        print(contract_page.contract_page(), end="")
        return
    chapters = dict.fromkeys(clause.chapter for clause in contract())
    if arguments.chapter not in (None, *chapters):
        raise Refusal(f"there is no chapter {arguments.chapter}; choose from {', '.join(chapters)}")
    clauses = [
        clause
        for clause in contract()
        if arguments.chapter in (None, clause.chapter) and arguments.level in (None, clause.level)
    ]
    width = max((len(clause.id) for clause in clauses), default=0)
    for clause in clauses:
        apis = ",".join(clause.apis)
        print(f"{clause.id:{width}}  {clause.level:6}  {apis:10}  {clause.sentence}")


def _explain(arguments: argparse.Namespace) -> None:
    environment.configure()
    print("\n".join(_explained(_named(arguments.clause))))


def _named(name: str) -> Clause:
    contract()
    if name in registry:
        return registry[name]
    near = difflib.get_close_matches(name, registry)
    advice = f"did you mean {' or '.join(near)}?" if near else f"see: {PROGRAM} list"
    raise Refusal(f"there is no clause {name}; {advice}")


def _explained(clause: Clause) -> Iterator[str]:
    yield f"{clause.id}: {clause.sentence}"
    yield ""
    yield f"level        {contract_page.levels(clause)}"
    yield f"api          {', '.join(clause.apis)}"
    yield f"chapter      {contract_page.chapter_title(clause.chapter)}"
    yield f"speaks about {clause.audience}"
    if clause.derived_from:
        yield f"built on     {clause.families}"
    yield f"holds in     {contract_page.versions(clause)}"
    yield f"documented   {clause.url if clause.holds else contract_page.documented_at(clause)}"
    yield f"rests on     {', '.join(clause.requires) or 'no other clause'}"
    if clause.requires_emptying:
        yield f"             {', '.join(clause.requires_emptying)} where others use the store too"
    for capability in clause.needs:
        yield f"applies if   the backend {capability.sentence}"
    for path, known in contract_page.known_deviations().get(clause.id, []):
        yield f"deviating    {contract_page.deviation(path, known)}: {known.kind}: {known.reason}"
    yield ""
    if clause.check is None:
        yield f"It has no check: {clause.untested}"
    else:
        yield textwrap.dedent(inspect.getsource(clause.check)).rstrip()
    with suppress(Unplayable):
        played = explanation(clause)
        yield "\nWhat the contract answers:\n"
        yield from played


def _compare(arguments: argparse.Namespace) -> None:
    reports = [report.load(path) for path in arguments.reports]
    reports += [_tried(one, arguments) for one in _candidates(arguments)]
    if not reports:
        raise Refusal("nothing to compare: name reports, backends or a recipe")
    try:
        merged = _merged(reports)
        if _format(arguments) == "guide":
            text, beside = _guide(merged, arguments.output)
        else:
            text, beside = report.FORMATS[_format(arguments)](merged), {}
    except KeyError as error:
        raise Refusal(f"one of the reports is damaged: it lacks {error}") from error
    if arguments.output is None:
        print(text, end="")
        return
    try:
        for path, content in {**beside, arguments.output: text}.items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise Refusal(f"cannot write {arguments.output}: {error.strerror}") from error


def _candidates(arguments: argparse.Namespace) -> list[candidate.Candidate]:
    named = [candidate.Candidate(path.rpartition(".")[2], path) for path in arguments.cache_backend]
    return named + (candidate.read(arguments.recipe) if arguments.recipe else [])


def _tried(one: candidate.Candidate, arguments: argparse.Namespace) -> report.Document:
    """Return the report of a candidate, with what the recipe says of it."""
    print(f"{PROGRAM}: {one.name}", file=sys.stderr)
    bounds = {bound: getattr(arguments, f"cache_max_{bound}") for bound in EFFORT}
    found: report.Document = one.kept(arguments.keep, arguments.cache_tier.split(","), bounds)
    return one.advised(found)


def _guide(merged: report.Document, output: Path | None) -> tuple[str, dict[Path, str]]:
    """Return the guide, and beside it plots and figures as files; without a file there are none."""
    if output is None:
        return guide(merged, {}), {}
    folder = output.with_suffix("")
    plots = {f"{plot.name}.svg": plot for plot in comparison.drawings(merged)}
    return (
        guide(merged, {f"{folder.name}/{name}": plot for name, plot in plots.items()}),
        {folder / name: plot.drawing for name, plot in plots.items()}
        | {folder / "figures.json": report.as_json(_without_results(merged))},
    )


def _without_results(merged: report.Document) -> report.Document:
    """Return what was measured, and how often each outcome occurred."""
    backends = [{**backend, "results": []} for backend in merged["backends"]]
    return {**merged, "backends": backends}


def _format(arguments: argparse.Namespace) -> str:
    """Return the format that was asked for, or that the ending of the file tells."""
    ending = arguments.output.suffix[1:] if arguments.output else ""
    return str(arguments.format or (ending if ending in ("html", "json") else "md"))


def _merged(reports: Sequence[report.Document]) -> report.Document:
    """Return one report of all backends, each of which tells where it ran."""
    first = reports[0]
    return {
        "schema": report.SCHEMA,
        "kit": _all_of([found["kit"] for found in reports]),
        "environment": {
            name: _all_of([found["environment"][name] for found in reports])
            for name in first["environment"]
        },
        "backends": [
            {"environment": found["environment"], **backend}
            for found in reports
            for backend in found["backends"]
        ],
        "complete": True,
    }


def _all_of(values: Sequence[str]) -> str:
    """Return the values, each once."""
    return ", ".join(dict.fromkeys(values))


def _self_test(arguments: argparse.Namespace) -> None:
    began = time.monotonic()
    findings = []
    for finding in self_test.run():
        findings.append(finding)
        print(finding, flush=True)
    print(f"\n{self_test.summary(findings, began)}")
    if not all(finding.right for finding in findings):
        raise Refusal("this kit cannot be relied on as it is installed here", WRONG)


def _up(arguments: argparse.Namespace) -> None:
    import cache_targets

    name = _target(arguments.name)
    try:
        with (
            standing_target.Post(name) as post,
            cache_targets.start(arguments.name, arguments.provider) as target,
        ):
            place = target.location or json.dumps(target.database)
            print(place, flush=True)
            print(f"{name} stands until Ctrl-C or: {PROGRAM} targets down {name}", file=sys.stderr)
            post.attend(place)
    except KeyboardInterrupt:
        return
    except ValueError as error:
        raise Refusal(str(error)) from error
    except cache_targets.TargetUnavailable as error:
        raise Refusal(str(error), UNAVAILABLE) from error


def _down(arguments: argparse.Namespace) -> None:
    name = _target(arguments.name)
    if not standing_target.take_down(name):
        raise Refusal(f"no {name} stands", UNAVAILABLE)
    print(f"{name} is down")


def _status(arguments: argparse.Namespace) -> None:
    name = _target(arguments.name)
    place = standing_target.describe(name)
    if place is None:
        raise Refusal(f"no {name} stands", UNAVAILABLE)
    print(place)


def _target(name: str) -> str:
    from cache_targets import Wanted

    try:
        return Wanted.parse(name).name
    except ValueError as error:
        raise Refusal(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
