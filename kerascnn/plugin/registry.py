"""Finding plugins: the hooks they implement, the entry points they are found by.

A plugin that can't be loaded, doubles another's name or breaks the contract is reported by name
and distribution, and stops nothing else.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import inspect
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from kerascnn.errors import KerascnnError, PluginError, UsageError, nearest, one_line
from kerascnn.plugin.visualizer import NAME, Visualizer, options

GROUP = "kerascnn"

hookspec = pluggy.HookspecMarker("kerascnn")
hookimpl = pluggy.HookimplMarker("kerascnn")


class Hooks:
    """What a plugin may implement, each by a function marked with `hookimpl`."""

    @hookspec
    def kerascnn_visualizers(self) -> Iterable[type[Visualizer]]:  # type: ignore[empty-body]
        """Yield the visualizer classes of this plugin."""

    @hookspec
    def kerascnn_custom_objects(self) -> Mapping[str, Any]:  # type: ignore[empty-body]
        """Return the custom layers and functions of this plugin, by the name a model file uses.

        A model file that names one of them loads; without, it is refused. TensorFlow is to be
        imported here or later, not when the plugin's module is.
        """


@dataclass(frozen=True)
class Plugin:
    """A visualizer that was found, and where it came from."""

    visualizer: type[Visualizer]
    distribution: str
    version: str

    @property
    def name(self) -> str:
        """What ``--plugin`` takes."""
        return self.visualizer.name


@dataclass(frozen=True)
class Problem:
    """A plugin that could not be taken: who, from where, and why."""

    plugin: str
    distribution: str
    reason: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"plugin {self.plugin} ({self.distribution}): {self.reason}"


@dataclass
class Registry:
    """The visualizers at hand, by name, and the problems met while looking for them.

    Reserved flags are those of ``kerascnn visualize`` itself; a visualizer whose option would
    shadow one of them is a problem.
    """

    reserved: frozenset[str] = frozenset()
    plugins: dict[str, Plugin] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _manager: pluggy.PluginManager = field(init=False)

    def __post_init__(self) -> None:
        self._manager = pluggy.PluginManager("kerascnn")
        self._manager.add_hookspecs(Hooks)

    def discover(self) -> Registry:
        """Take every plugin that an installed distribution declares in the group ``kerascnn``."""
        # pluggy's own loader lets one broken plugin end the program, and passes over a second
        # distribution that uses an entry point's name; hence this loop. The first-party ones come
        # first so that nobody takes their names away.
        found = sorted(_entry_points(), key=lambda item: (item[1] != "kerascnn", item[1:]))
        for entry, distribution, version in found:
            label = one_line(entry.name, 80)
            try:
                module = entry.load()
            except (KeyboardInterrupt, MemoryError):
                raise
            except BaseException as error:
                self._problem(label, distribution, f"can't be imported: {_reason(error)}")
                continue
            self._register(module, label, distribution, version)
        return self

    def add_file(self, path: Path) -> list[Plugin]:
        """Take the plugin in a single Python file, as ``--plugin-file`` does.

        Returns:
            The visualizers it has.

        Raises:
            PluginError: the file can't be imported, or has nothing to offer.
        """
        before, problems = set(self.plugins), len(self.problems)
        hooked = self._register(_import_file(path), path.stem, one_line(path), "")
        new = [plugin for name, plugin in self.plugins.items() if name not in before]
        if len(self.problems) > problems:
            raise PluginError(str(self.problems[problems]))
        if not hooked:
            raise PluginError(
                f"{one_line(path)} implements no hook of kerascnn: write a function "
                "kerascnn_visualizers marked with @hookimpl"
            )
        return new

    def get(self, name: str) -> Plugin:
        """Return the visualizer of that name.

        Raises:
            UsageError: there is none; the nearest names are in the message.
            PluginError: a plugin of that name was found and could not be taken; the reason.
        """
        if name in self.plugins:
            return self.plugins[name]
        for problem in self.problems:
            if problem.plugin == name:
                raise PluginError(str(problem))
        raise UsageError(f"no plugin {one_line(name, 60)!r}{nearest(name, self.plugins)}")

    def custom_objects(self) -> dict[str, Any]:
        """Return what the plugins' hooks ``kerascnn_custom_objects`` give, together."""
        found: dict[str, Any] = {}
        for hook in self._manager.hook.kerascnn_custom_objects.get_hookimpls():
            try:
                give: Any = hook.function
                found.update(give())
            except Exception as error:
                self._problem(hook.plugin_name, "", f"kerascnn_custom_objects: {_reason(error)}")
        return found

    def _register(self, module: Any, label: str, distribution: str, version: str) -> bool:
        """Take what ``module`` offers; return whether it implements a hook at all."""
        name = f"{label} ({distribution})"
        try:
            if self._manager.get_plugin(name) is None and not self._manager.is_registered(module):
                self._manager.register(module, name=name)
            # Called by hand, not through pluggy: one failing hook must not stop the others.
            calls: list[Any] = [
                hook.function
                for hook in self._manager.hook.kerascnn_visualizers.get_hookimpls()
                if hook.plugin is module
            ]
            found = [visualizer for call in calls for visualizer in call()]
        except Exception as error:
            self._problem(label, distribution, f"can't be registered: {_reason(error)}")
            return True
        for visualizer in found:
            self._take(visualizer, label, distribution, version)
        return bool(self._manager.get_hookcallers(module))

    def _take(self, visualizer: Any, label: str, distribution: str, version: str) -> None:
        name = label
        try:
            if not (inspect.isclass(visualizer) and issubclass(visualizer, Visualizer)):
                raise PluginError(f"gives {one_line(visualizer, 60)}, which is no Visualizer class")
            name = one_line(visualizer.name, 60) or label
            check(visualizer, self.reserved)
        except Exception as error:
            self._problem(name, distribution, _reason(error))
            return
        other = self.plugins.get(visualizer.name)
        if other is not None and other.visualizer is not visualizer:
            self._problem(
                name, distribution, f"has the name of a plugin of {other.distribution}; left out"
            )
            return
        self.plugins[name] = Plugin(visualizer, distribution, version)

    def _problem(self, plugin: str, distribution: str, reason: str) -> None:
        problem = Problem(one_line(plugin, 80), one_line(distribution, 80), one_line(reason))
        if problem not in self.problems:
            self.problems.append(problem)


def check(visualizer: type[Visualizer], reserved: frozenset[str] = frozenset()) -> None:
    """See that a class keeps the contract of a visualizer.

    Raises:
        PluginError: what it does not keep.
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
    try:
        visualizer.model_validate(
            {name: field.default for name, field in visualizer.model_fields.items()}
        )
    except ValueError as error:
        raise PluginError(f"a default breaks its own bounds: {_reason(error)}") from error


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
            if entry.group == GROUP and key not in seen:
                seen.add(key)
                found.append((entry, one_line(name, 80), one_line(version, 40)))
    return found


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise PluginError(f"--plugin-file {one_line(path)}: no such file")
    name = "kerascnn_plugin_file_" + path.stem
    spec = importlib.util.spec_from_loader(
        name, importlib.machinery.SourceFileLoader(name, str(path)), origin=str(path)
    )
    if spec is None or spec.loader is None:
        raise PluginError(f"--plugin-file {one_line(path)}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    # Pickling and pydantic look the module up by its name.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:
        del sys.modules[name]
        raise PluginError(
            f"--plugin-file {one_line(path)} can't be imported: {_reason(error)}"
        ) from error
    return module


def _reason(error: BaseException) -> str:
    text = one_line(error)
    if isinstance(error, KerascnnError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
