"""Finding plugins: the hooks they implement, the entry points they are found by.

A plugin that can't be loaded, has the name of another or is no valid visualizer is reported by name
and distribution, and the others are not affected.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import pluggy

from kerascnn.errors import PluginError, UsageError, nearest, one_line
from kerascnn.plugin import hooks
from kerascnn.plugin.guard import guarded
from kerascnn.plugin.hooks import PROJECT
from kerascnn.plugin.options import options
from kerascnn.plugin.visualizer import NAME, Visualizer

if TYPE_CHECKING:
    import click

T = TypeVar("T")


@dataclass(frozen=True)
class Origin:
    """Where a plugin's module comes from.

    Attributes:
        label: the name of its entry point, or of its file.
        distribution: the installed distribution, or the file's path.
        version: the distribution's; empty for a file.
    """

    label: str
    distribution: str
    version: str = ""


@dataclass(frozen=True)
class Plugin:
    """A visualizer that was found, and where it comes from."""

    visualizer: type[Visualizer]
    distribution: str
    version: str

    @property
    def name(self) -> str:
        """What ``--plugin`` takes."""
        return self.visualizer.name


class FoundCommand(NamedTuple):
    """A command that was found, and where it comes from."""

    command: click.Command
    origin: Origin


@dataclass(frozen=True)
class Problem:
    """A plugin that can't be used: its name, where it comes from, and why."""

    plugin: str
    distribution: str
    reason: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"plugin {self.plugin} ({self.distribution}): {self.reason}"


@dataclass
class Registry:
    """What plugins offer, and the problems met while looking for it.

    Attributes:
        reserved: flags of the program's own commands; a visualizer with an option of such a flag
            is a problem.
        plugins: the visualizers, by name.
        commands: the commands, by name.
        problems: what can't be used.
        asked: distributions and files that the user named; where a hook of theirs fails later, that
            is an error, not only a problem.
    """

    reserved: frozenset[str] = frozenset()
    plugins: dict[str, Plugin] = field(default_factory=dict)
    commands: dict[str, FoundCommand] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    _origins: list[tuple[object, Origin]] = field(default_factory=list)
    _manager: pluggy.PluginManager = field(init=False)

    def __post_init__(self) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(hooks)

    def discover(self) -> Registry:
        """Register every module that an installed distribution declares as a plugin."""
        # pluggy's own loader lets one broken plugin end the program, and skips a second
        # distribution that uses an entry point's name; hence this loop. The first-party ones come
        # first so that no other plugin can have their names.
        found = sorted(_entry_points(), key=lambda item: (item[1] != PROJECT, item[1:]))
        for entry, distribution, version in found:
            origin = Origin(one_line(entry.name, 80), distribution, version)
            with self._reporting("can't be imported", origin):
                self.register(entry.load(), origin)
        return self

    def add_file(self, path: Path) -> list[Plugin]:
        """Register the plugin in a single Python file, as ``--plugin-file`` does; once for each.

        Returns:
            The visualizers it has.

        Raises:
            PluginError: the file can't be imported, or has nothing to offer.
        """
        origin = Origin(path.stem, one_line(path))
        self.asked.add(origin.distribution)
        if origin not in [known for _, known in self._origins]:
            problems = len(self.problems)
            hooked = self.register(_import_file(path), origin)
            if len(self.problems) > problems:
                raise PluginError(str(self.problems[problems]))
            if not hooked:
                raise PluginError(
                    f"{one_line(path)} implements no hook of kerascnn: write a function "
                    "kerascnn_visualizers marked with @hookimpl"
                )
        return [p for p in self.plugins.values() if p.distribution == origin.distribution]

    def register(self, module: object, origin: Origin) -> bool:
        """Add what a module offers; what can't be used becomes a problem.

        Returns:
            Whether the module implements a hook at all.
        """
        if self._manager.is_registered(module):
            return True
        with self._reporting("can't be registered", origin):
            self._manager.register(module, name=f"{origin.label} ({origin.distribution})")
            self._origins.append((module, origin))
            for visualizer in self._call("kerascnn_visualizers", module, origin, list):
                self._take_visualizer(visualizer, origin)
            for command in self._call("kerascnn_commands", module, origin, list):
                self._take_command(command, origin)
            return bool(self._manager.get_hookcallers(module))
        return True

    def get(self, name: str) -> Plugin:
        """Return the visualizer of that name.

        Raises:
            UsageError: there is none; the nearest names are in the message.
            PluginError: a plugin of that name was found and can't be used; the reason.
        """
        return self._find("plugin", name, self.plugins)

    def get_command(self, name: str) -> FoundCommand:
        """Return the command of that name; raises what `get` does."""
        return self._find("command", name, self.commands)

    def custom_objects(self) -> dict[str, object]:
        """Return what the plugins' hooks ``kerascnn_custom_objects`` give, together.

        Raises:
            PluginError: the hook of a plugin that the user `asked` for fails; others' are problems.
        """
        found: dict[str, object] = {}
        for module, origin in self._origins:
            known = len(self.problems)
            for given in self._call("kerascnn_custom_objects", module, origin, lambda o: [dict(o)]):
                found.update(given)
            if self.problems[known:] and origin.distribution in self.asked:
                raise PluginError(str(self.problems[known]))
        return found

    def _find(self, kind: str, name: str, found: Mapping[str, T]) -> T:
        if name in found:
            return found[name]
        for problem in self.problems:
            if problem.plugin == name:
                raise PluginError(str(problem))
        more = "; some can't be used: kerascnn plugins tells why" if self.problems else ""
        raise UsageError(f"no {kind} {one_line(name, 60)!r}{nearest(name, found)}{more}")

    def _call(
        self, hook: str, module: object, origin: Origin, read: Callable[[Any], list[T]]
    ) -> list[T]:
        """Return what a module's hook gives, if anything."""
        # By hand, not through pluggy, where one failing hook would stop the others.
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        found: list[T] = []
        for implementation in caller.get_hookimpls():
            if implementation.plugin is module:
                with self._reporting("can't be registered", origin, f" (in {hook})"):
                    found += read(implementation.function())
        return found

    def _take_visualizer(self, visualizer: object, origin: Origin) -> None:
        with self._reporting("can't be checked", origin):
            if not (inspect.isclass(visualizer) and issubclass(visualizer, Visualizer)):
                raise PluginError(f"gives {one_line(visualizer, 60)}, which is no Visualizer class")
            self._take_class(visualizer, origin)

    def _take_class(self, visualizer: type[Visualizer], origin: Origin) -> None:
        name = one_line(visualizer.name, 60)
        with self._reporting("can't be checked", replace(origin, label=name or origin.label)):
            check(visualizer, self.reserved)
            other = self.plugins.get(name)
            if other is not None and other.visualizer is not visualizer:
                raise PluginError(f"has the name of a plugin of {other.distribution}; left out")
            self.plugins[name] = Plugin(visualizer, origin.distribution, origin.version)

    def _take_command(self, command: object, origin: Origin) -> None:
        import click

        with self._reporting("can't be checked", origin):
            if not isinstance(command, click.Command):
                raise PluginError(f"gives {one_line(command, 60)}, which is no click command")
            name = command.name or ""
            told = f"its command {one_line(name, 60)!r}"
            if not NAME.fullmatch(name):
                raise PluginError(f"{told} must be named by lower case words joined by hyphens")
            if not (command.help or "").strip():
                raise PluginError(f"{told} has no docstring: it is the command's help")
            if name in self.commands:
                other = self.commands[name].origin.distribution
                raise PluginError(f"{told} has the name of a command of {other}; left out")
            self.commands[name] = FoundCommand(command, origin)

    @contextlib.contextmanager
    def _reporting(self, told: str, origin: Origin, where: str = "") -> Iterator[None]:
        """Run a plugin's code in the block; what it raises becomes a problem."""
        try:
            with guarded(told, PluginError):
                yield
        except PluginError as error:
            distribution = one_line(origin.distribution, 80)
            problem = Problem(one_line(origin.label, 80), distribution, one_line(f"{error}{where}"))
            if problem not in self.problems:
                self.problems.append(problem)


def check(visualizer: type[Visualizer], reserved: frozenset[str] = frozenset()) -> None:
    """Check that a class is a valid visualizer.

    Raises:
        PluginError: why it is not.
    """
    if not isinstance(visualizer.name, str) or not NAME.fullmatch(visualizer.name):
        raise PluginError(
            f"class {visualizer.__name__}: name must be lower case words joined by hyphens. "
            f"Received: {one_line(visualizer.name, 60)!r}"
        )
    if visualizer.visualize is Visualizer.visualize:
        raise PluginError(f"class {visualizer.__name__} has no method 'visualize'")
    if not (visualizer.__doc__ or "").strip() or visualizer.__doc__ == Visualizer.__doc__:
        raise PluginError(f"class {visualizer.__name__} has no docstring: it is the plugin's help")
    for option in options(visualizer):
        if option.flag in reserved and option.name not in Visualizer.model_fields:
            raise PluginError(f"option {option.flag} is a flag of kerascnn itself; rename it")
    with guarded("a default breaks its own bounds"):
        visualizer.model_validate(
            {name: field.default for name, field in visualizer.model_fields.items()}
        )


def _entry_points() -> list[tuple[importlib.metadata.EntryPoint, str, str]]:
    # Not `entry_points(group=…)`: it hides which distribution an entry point belongs to on
    # Python 3.10, and drops a distribution whose name was seen before.
    found, seen = [], set()
    for distribution in importlib.metadata.distributions():
        try:
            metadata = distribution.metadata
            name, version = metadata["Name"] or "?", metadata["Version"] or "?"
            entries = distribution.entry_points
        except Exception:  # a damaged distribution: what it offers can't be known
            continue
        for entry in entries:
            key = (name, entry.group, entry.name, entry.value)
            if entry.group == PROJECT and key not in seen:
                seen.add(key)
                found.append((entry, one_line(name, 80), one_line(version, 40)))
    return found


def _import_file(path: Path) -> ModuleType:
    told = f"plugin file {one_line(path)}"
    if not path.is_file():
        raise PluginError(f"{told}: no such file")
    name = "kerascnn_plugin_file_" + path.stem
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    spec = importlib.util.spec_from_loader(name, loader, origin=str(path))
    if spec is None:
        raise PluginError(f"{told}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    # Pickling and pydantic look the module up by its name.
    sys.modules[name] = module
    try:
        with guarded(f"{told} can't be imported"):
            loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
