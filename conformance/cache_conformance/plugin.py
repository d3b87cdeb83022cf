"""The pytest plugin: the only module that knows pytest.

Everything that costs an import waits until ``--cache-backend`` or ``--cache-alias`` is given.
"""

from __future__ import annotations

import atexit
import gc
import os
import re
import sys
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from cache_conformance import surroundings
from cache_conformance.effort import OPTIONS as EFFORT
from cache_conformance.effort import Effort

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from cache_conformance.implementation import Implementation
    from cache_conformance.isolation import IsolatedRun
    from cache_conformance.options import Options
    from cache_conformance.outcome import Result
    from cache_conformance.suite import CacheConformance
    from cache_conformance.trial import Trial

PLUGIN = "cache-conformance-contract"
CONTRACT_ID = re.compile(r"::[\w-]+\.[\w.-]+\[(sync|async)\]$")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; their values are read by :mod:`cache_conformance.options`."""
    group = parser.getgroup("cache-conformance", "Django cache conformance")
    several: dict[str, Any] = {"action": "append", "default": []}
    group.addoption(
        "--cache-backend", metavar="PATH", help="dotted path of the backend to try", **several
    )
    group.addoption(
        "--cache-config",
        metavar="JSON",
        help="the rest of its CACHES entry: LOCATION, OPTIONS, ...",
        **several,
    )
    group.addoption(
        "--cache-alias", metavar="NAME", help="an alias of the project's own CACHES", **several
    )
    group.addoption(
        "--cache-target",
        metavar="NAME[:PROVIDER]",
        help="start this server and point LOCATION at it",
        **several,
    )
    group.addoption(
        "--cache-level",
        metavar="LEVEL",
        default="must",
        help="the lowest level whose failure fails the run: must (default), should, may",
    )
    group.addoption(
        "--cache-tier",
        metavar="TIERS",
        default="contract,concurrency",
        help="the tiers to run, separated by commas (default: contract,concurrency)",
    )
    group.addoption(
        "--cache-expectations", metavar="FILE", help="known failures, in TOML", **several
    )
    group.addoption(
        "--cache-write-expectations", metavar="FILE", help="write every failure as a known one"
    )
    group.addoption(
        "--cache-report",
        metavar="FORMAT:PATH",
        help="write a report: json, html, md or badge",
        **several,
    )
    group.addoption(
        "--cache-timeout",
        metavar="SECONDS",
        default="30",
        help="how long a check may wait for an answer of the backend (default: 30)",
    )
    group.addoption(
        "--cache-fault-bound",
        metavar="SECONDS",
        default="10",
        help="how long an operation may take while its server is killed, paused, ... (default: 10)",
    )
    for bound, told in EFFORT.items():
        default = getattr(Effort, bound)
        group.addoption(
            f"--cache-max-{bound}",
            metavar="N",
            default=str(default),
            help=f"{told} (default: {default})",
        )
    group.addoption(
        "--cache-allow-clear",
        action="store_true",
        help="the store holds nothing that matters: try clear() and culling too",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the contract where a backend is named, and prepare the targets that it needs."""
    surroundings.around = lambda: _left_alone_by_pytest(config)
    if not (config.option.cache_backend or config.option.cache_alias):
        if stray := _options_without_a_backend(config):
            raise pytest.UsageError(f"{stray} needs --cache-backend or --cache-alias")
        return
    if config.option.help or config.option.version:
        return
    _collect_the_contract_alone(config)
    _load_the_contract(config)
    from cache_conformance.options import BadOption, Options

    try:
        options = Options.read(config.option)
    except BadOption as error:
        raise pytest.UsageError(str(error)) from None
    session = CommandLineSession(config, options)
    atexit.register(gc.freeze)  # thousands of items are not looked through while Python ends
    config.pluginmanager.register(session, PLUGIN)
    config.add_cleanup(session.close)


def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> pytest.Collector | list[pytest.Item] | None:
    """Collect the contract for a class that derives from :class:`CacheConformance`."""
    suite: Any = sys.modules.get("cache_conformance.suite")
    if suite is None or not isinstance(obj, type) or not issubclass(obj, suite.CacheConformance):
        return None
    if obj is suite.CacheConformance:
        return []
    if not collector.classnamefilter(name):
        return None
    return SuiteCollector.from_parent(collector, name=name)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give the contract to one worker, so that its waits overlap; spread all other tests."""
    if config.getvalue("dist") != "load":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ContractInOnePlace(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return "contract" if CONTRACT_ID.search(nodeid) else nodeid

    return ContractInOnePlace(config, log)


def pytest_report_teststatus(report: Any) -> tuple[str, str, str] | None:
    """Show the outcome of a clause in the kit's words."""
    if (contract := getattr(report, "contract", None)) is None:
        return None
    outcome = str(contract["result"]["outcome"])
    if report.failed:
        return "failed", "F", outcome.upper()
    if outcome == "failed":
        return "deviated", "d", f"DEVIATES ({contract['result']['level']})"
    return _STATUS.get(outcome, (outcome, "s", outcome.upper()))


def _load_the_contract(config: pytest.Config) -> None:
    """Import what a run needs, with Django as the project has configured it."""
    _make_importable(config)
    with _plain_imports():
        from cache_conformance import environment

        environment.configure()
        for module in "options", "contract":
            import_module(f"{__package__}.{module}")


def _options_without_a_backend(config: pytest.Config) -> str | None:
    given = ("cache_config", "cache_target", "cache_expectations", "cache_report")
    for name in (*given, "cache_write_expectations", "cache_allow_clear"):
        if getattr(config.option, name):
            return "--" + name.replace("_", "-")
    return None


def _make_importable(config: pytest.Config) -> None:
    """Let a dotted path begin in the folder where pytest was started, as ``python -m`` does."""
    folder = str(config.invocation_params.dir)
    if folder not in sys.path:
        sys.path.append(folder)


@contextmanager
def _plain_imports() -> Iterator[None]:
    """Import without pytest's rewriting of assertions, which takes longer than a whole chapter.

    The kit tells a failed assertion itself, and the same way where pytest is absent.
    """
    finders = sys.meta_path[:]
    sys.meta_path[:] = [f for f in finders if type(f).__name__ != "AssertionRewritingHook"]
    try:
        yield
    finally:
        sys.meta_path[:] = finders


def _collect_the_contract_alone(config: pytest.Config) -> None:
    """Where no path was given, leave the project's own tests out."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = []


class ContractItem(pytest.Item):
    """One clause on one api of one backend."""

    contract: ContractSession
    trial: Trial
    result: Result

    @classmethod
    def of(
        cls, parent: pytest.Collector, contract: ContractSession, trial: Trial, nodeid: str
    ) -> ContractItem:
        """Return the item of ``trial``, whose result is had from ``contract``."""
        item: ContractItem = cls.from_parent(parent, name=trial.id, nodeid=nodeid)
        item.contract = contract
        item.trial = trial
        return item

    def runtest(self) -> None:
        """End the trial; the report tells how."""
        self.result = self.contract.result(self.trial)

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:
        """Return where the check stands, and the headline of a failure."""
        assert self.parent is not None
        headline = f"{self.parent.name} {self.name}"
        check = self.trial.clause.check
        if check is None:
            return __file__, None, headline
        return check.__code__.co_filename, check.__code__.co_firstlineno - 1, headline


class ContractCollector(pytest.Collector):
    """The contract on one backend."""

    contract: ContractSession
    trials: Sequence[Trial]

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item for each trial."""
        for trial in self.trials:
            yield ContractItem.of(self, self.contract, trial, f"{self.name}::{trial.id}")


class SuiteCollector(pytest.Class):
    """The contract on the backend of a test class, and the test methods of that class."""

    contract: ContractSession

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Yield an item for each trial, then whatever pytest finds in the class itself."""
        from cache_conformance.execution import trials
        from cache_conformance.timeline import phase

        options = self._options(self.obj)
        self.contract = ContractSession(self.config, options, self.nodeid)
        self.config.pluginmanager.register(self.contract, f"{PLUGIN}-{self.nodeid}")
        [implementation] = options.implementations
        for trial in sorted(trials(implementation, options.tiers), key=phase):
            yield ContractItem.of(self, self.contract, trial, f"{self.nodeid}::{trial.id}")
        yield from super().collect()

    def _options(self, suite: type[CacheConformance]) -> Options:
        _load_the_contract(self.config)
        from cache_conformance.options import BadOption, Options

        if not hasattr(suite, "backend"):
            raise self.CollectError(f'{self.name} names no backend: backend = "my.package.MyCache"')
        try:
            return Options.of(
                suite.backend,
                suite.config,
                target=suite.target,
                level=suite.level,
                tiers=suite.tiers,
                expectations=suite.expectations,
                timeout=suite.timeout,
                fault_bound=suite.fault_bound,
                allow_clear=suite.allow_clear,
                bounds=suite.bounds,
            )
        except BadOption as error:
            raise self.CollectError(f"{self.name}: {error}") from None

    def setup(self) -> None:
        """Start the server that the backend needs, until the class has been run."""
        from cache_conformance.options import BadOption

        super().setup()
        self.addfinalizer(self.contract.close)
        try:
            self.contract.prepare()
        except BadOption as error:
            pytest.fail(f"{self.name}: {error}", pytrace=False)


class ContractSession:
    """What one pytest session does with the contract, under a ``name`` of its own."""

    def __init__(self, config: pytest.Config, options: Options, name: str = "") -> None:
        from cache_conformance.results import Results

        self.config = config
        self.options = options
        self.name = name
        self.results = [Results(i, options.tiers) for i in options.implementations]
        self._run: IsolatedRun | None = None
        self._running = ExitStack()
        self._told_of = float("inf")
        self._trials: list[Trial] = []

    def prepare(self) -> None:
        """Start the targets and build each backend once. Raises BadOption where one cannot be."""
        self.options.start_targets(self._running)
        self.options.try_to_build(self._running)

    # Results

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note which trials were selected."""
        self._trials = [item.trial for item in session.items if self._owns(item)]

    def _owns(self, item: pytest.Item) -> TypeIs[ContractItem]:
        return isinstance(item, ContractItem) and item.contract is self

    def result(self, trial: Trial) -> Result:
        """Return the result of ``trial``."""
        if self._run is None:
            self._run = self._start()
        return self._run.result(trial)

    def _start(self) -> IsolatedRun:
        from cache_conformance.isolation import IsolatedRun

        return self._running.enter_context(
            IsolatedRun(
                self._trials,
                self.options.expectations,
                self.options.bound,
                self._waiting,
            )
        )

    def _waiting(self, checks: int, seconds: float) -> None:
        """Show what the run waits for: in place on a terminal, once a second elsewhere."""
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        if terminal is None or seconds > self._told_of - 1:
            return
        self._told_of = seconds
        line = f"waiting {seconds:.1f} s for {checks} checks that let time pass"
        capture: Any = self.config.pluginmanager.get_plugin("capturemanager")
        with capture.global_and_fixture_disabled():
            if terminal.isatty:
                terminal.rewrite(line, erase=True)
            else:
                terminal.ensure_newline()
                terminal.write_line(line)

    def close(self) -> None:
        """End the processes of the backends, and stop the targets that were started."""
        self._running.close()

    # The report of an item

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, Any, Any]:
        """Turn the result of a clause into pytest's report."""
        report: Any = yield
        if self._owns(item) and call.when == "call" and call.excinfo is None:
            number = self.options.implementations.index(item.trial.implementation)
            report.contract = {
                "session": self.name,
                "backend": number,
                "result": item.result.as_json(),
            }
            self._tell(report, item)
        return report

    def _tell(self, report: Any, item: ContractItem) -> None:
        from cache_conformance.outcome import Outcome

        result = item.result
        if result.fails(self.options.level):
            report.outcome = "failed"
            report.longrepr = _told(result, item.trial.clause.sentence)
        elif result.outcome is Outcome.FAILED:
            report.outcome = "skipped"
            report.wasxfail = f"{result.level}: {result.message}"
        elif result.outcome is Outcome.KNOWN_FAILURE:
            report.outcome = "skipped"
            report.wasxfail = result.message
        elif result.outcome is not Outcome.PASSED:
            report.outcome = "skipped"
            path, line, _ = item.reportinfo()
            report.longrepr = (str(path), line or 0, f"{result.outcome}: {result.message}")

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep the result, which on the controller of pytest-xdist comes from a worker."""
        from cache_conformance.outcome import Result

        contract = getattr(report, "contract", None)
        if contract is not None and contract["session"] == self.name:
            results = self.results[contract["backend"]]
            results.found.append(Result.from_json(contract["result"]))

    # The end

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the reports, and fail a run that proved nothing."""
        _spare_the_import_of_hypothesis(self.config)
        if hasattr(self.config, "workerinput") or self._is_idle():
            return
        expected = len(self._trials) if self._trials else None
        found = sum(map(len, self.results))
        complete = exitstatus in (0, 1) and (expected is None or found == expected)
        self.options.write_reports(self.results, complete)
        if exitstatus in (0, 5) and (self._proved_nothing() or self._something_is_unavailable()):
            session.exitstatus = 1

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say how many clauses ran and how each of them ended."""
        if self._is_idle():
            return
        terminalreporter.section(f"cache conformance {self.name}".rstrip())
        for results in self.results:
            ran, total = results.coverage
            deviating = [r for r in results if r.deviates(self.options.level)]
            counts = Counter(
                "deviated" if r.deviates(self.options.level) else str(r.outcome) for r in results
            )
            told = ", ".join(f"{number} {word}" for word, number in sorted(counts.items()))
            terminalreporter.write_line(
                f"{self._name(results.implementation)}: ran {ran} of {total} clauses"
            )
            terminalreporter.write_line(f"  {told or 'nothing ran'}")
            for clause in dict.fromkeys(f"{r.clause} ({r.level})" for r in deviating):
                terminalreporter.write_line(f"  deviates: {clause}")
            for line in results.remarks:
                terminalreporter.write_line(f"  {line}")
        if self._proved_nothing() and not self._something_is_unavailable():
            terminalreporter.write_line(
                "no MUST clause ran, so nothing was proved: this is an error"
            )

    def _is_idle(self) -> bool:
        """Whether nothing is to be told: a test class of which no clause was selected, say."""
        return self.config.option.collectonly or bool(self.name and not self._trials)

    def _proved_nothing(self) -> bool:
        return not any(results.proved for results in self.results)

    def _something_is_unavailable(self) -> bool:
        return any(results.unavailable for results in self.results)

    def _name(self, implementation: Implementation) -> str:
        target = f" on {implementation.target}" if implementation.target else ""
        return f"{implementation.path}{target}"


class CommandLineSession(ContractSession):
    """What one pytest session does with the backends that its command line names."""

    def __init__(self, config: pytest.Config, options: Options) -> None:
        super().__init__(config, options)
        self._start_no_useless_workers()

    def pytest_report_header(self) -> list[str]:
        """Name what is under test."""
        return [f"cache conformance: {self._name(i)}" for i in self.options.implementations]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Start the targets, once for all workers, and build each backend once."""
        from cache_conformance.options import BadOption

        try:
            if hasattr(self.config, "workerinput"):
                self.options.take_targets(self.config.workerinput["cache_targets"])
            elif not self.config.option.collectonly:
                self.options.start_targets(self._running)
            self.options.try_to_build(self._running)
        except BadOption as error:
            raise pytest.UsageError(str(error)) from None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of pytest-xdist where the targets are."""
        node.workerinput["cache_targets"] = self.options.targets()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        """Put the contract, in the order in which it runs, before whatever else was collected."""
        from cache_conformance.execution import trials
        from cache_conformance.timeline import phase

        contract: list[ContractItem] = []
        for implementation, name in zip(self.options.implementations, self._names(), strict=True):
            collector = ContractCollector.from_parent(session, name=name, nodeid=name)
            collector.contract = self
            collector.trials = trials(implementation, self.options.tiers)
            contract += [i for i in session.genitems(collector) if isinstance(i, ContractItem)]
        contract.sort(key=lambda item: phase(item.trial))
        items[:0] = contract

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Spare a clause the phases of set-up and tear-down, in which it has nothing to do.

        The last one in a row has them: other tests may have left something to be torn down.
        """
        if not self._owns(item) or nextitem is None or not self._owns(nextitem):
            return None
        hooks = item.ihook
        hooks.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        leaving = (KeyboardInterrupt, pytest.exit.Exception)
        call = pytest.CallInfo.from_call(item.runtest, when="call", reraise=leaving)
        report = hooks.pytest_runtest_makereport(item=item, call=call)
        hooks.pytest_runtest_logreport(report=report)
        hooks.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def _names(self) -> list[str]:
        """Return a short name for each backend, the dotted path where two would be alike."""
        short = [i.backend.__name__ for i in self.options.implementations]
        return [
            name if short.count(name) == 1 else f"{i.path}-{n}"
            for n, (name, i) in enumerate(zip(short, self.options.implementations, strict=True))
        ]

    def _start_no_useless_workers(self) -> None:
        """Leave the workers of pytest-xdist to tests other than the contract.

        Each backend has a process of its own already, so a worker would only add its start.
        """
        option = self.config.option
        if not self.config.args and not hasattr(self.config, "workerinput"):
            option.tx, option.dist, option.numprocesses = [], "no", None


_STATUS = {
    "passed": ("passed", ".", "PASSED"),
    "known-failure": ("known-failure", "k", "KNOWN-FAILURE"),
    "not-applicable": ("not-applicable", "n", "NOT-APPLICABLE"),
    "blocked": ("blocked", "b", "BLOCKED"),
    "unavailable": ("unavailable", "u", "UNAVAILABLE"),
}


def _told(result: Result, sentence: str) -> str:
    lines = [
        f"{result.clause} [{result.api}] is {result.outcome} ({result.level}): {sentence}",
        "",
        result.message,
        f"documented: {result.docs}",
    ]
    if result.repro:
        lines += ["", "reproduce it with this script:", "", result.repro.rstrip()]
    return "\n".join(lines)


def _spare_the_import_of_hypothesis(config: pytest.Config) -> None:
    """Leave out hypothesis's own summary, which imports it, where no test has used it."""
    plugins = config.pluginmanager
    if "hypothesis" not in sys.modules and plugins.has_plugin("hypothesispytest"):
        plugins.unregister(name="hypothesispytest")


@contextmanager
def _left_alone_by_pytest(config: pytest.Config) -> Iterator[None]:
    """Have a process of its own import modules as they are, and reach the kit's own database.

    pytest rewrites the assertions of its plugins, of the whole of Hypothesis among them, and
    pytest-django forbids databases in tests.
    """
    from pytest_django.plugin import blocking_manager_key

    blocker = config.stash.get(blocking_manager_key, None)
    rewriting: object = config.pluginmanager.rewrite_hook
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not rewriting]
    with blocker.unblock() if blocker is not None else nullcontext():
        yield
