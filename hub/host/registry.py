"""Imports a found plugin, in the process that will run it, and asks its module for the ``PluginSpec``."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from hub.core.error import ConfigError, Mistake
from hub.sdk.spec import PROJECT, Config, Hooks, PluginSpec

NAMESPACE = "hub_plugins"


class Registry:
    """The plugins this process has imported."""

    def __init__(self) -> None:
        self._loaded: dict[str, tuple[Path, int, PluginSpec]] = {}

    def load(self, name: str, folder: Path, fingerprint: int = 0) -> PluginSpec:
        """The plugin's declaration; imported once, and anew when its files changed.

        ``ConfigError`` names the line of the plugin that is wrong.
        """
        known = self._loaded.get(name)
        if known is not None and known[:2] == (folder, fingerprint):
            return known[2]
        spec = _ask(_import(name, folder), folder)
        self._loaded[name] = (folder, fingerprint, spec)
        return spec


def _import(name: str, folder: Path) -> ModuleType:
    _namespace()
    full = f"{NAMESPACE}.{name}"
    for old in [module for module in sys.modules if module == full or module.startswith(full + ".")]:
        del sys.modules[old]
    importlib.invalidate_caches()
    init = folder / "__init__.py"
    spec = importlib.util.spec_from_file_location(full, init, submodule_search_locations=[str(folder)])
    if spec is None or spec.loader is None or not init.is_file():
        raise ConfigError([Mistake(str(init), 1, 1, "there is no such file; a plugin is a package")])
    module = importlib.util.module_from_spec(spec)
    sys.modules[full] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as fault:
        sys.modules.pop(full, None)
        if isinstance(fault, KeyboardInterrupt):
            raise
        file, line = blame(fault, folder)
        raise ConfigError([Mistake(file, line, 1, f"cannot be imported: {words_of(fault)}")]) from fault
    return module


def _namespace() -> None:
    if NAMESPACE not in sys.modules:
        package = ModuleType(NAMESPACE)
        package.__path__ = []
        sys.modules[NAMESPACE] = package


def _ask(module: ModuleType, folder: Path) -> PluginSpec:
    init = str(folder / "__init__.py")
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    try:
        manager.register(module)
        spec: Any = manager.hook.hub_plugin()
    except Exception as fault:  # the hook is the plugin's code
        file, line = blame(fault, folder)
        raise ConfigError([Mistake(file, line, 1, f"hub_plugin() failed: {words_of(fault)}")]) from fault
    if not isinstance(spec, PluginSpec):
        raise ConfigError([Mistake(init, 1, 1, "declares no plugin: mark a function hub_plugin with @plugin")])
    kind: Any = spec.config
    if not (isinstance(kind, type) and issubclass(kind, Config)):
        raise ConfigError([Mistake(init, 1, 1, "PluginSpec.config must be a class derived from hub.sdk.Config")])
    return spec


def words_of(fault: BaseException) -> str:
    """A fault in one line. Of a group, its first."""
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    return f"{type(fault).__name__}: {fault}".splitlines()[0][:500].removesuffix(": ")


def blame(fault: BaseException, folder: Path) -> tuple[str, int]:
    """File and line in the plugin's folder where a fault came from; the folder itself when it came from elsewhere."""
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    if isinstance(fault, SyntaxError) and fault.filename and Path(fault.filename).is_relative_to(folder):
        return fault.filename, fault.lineno or 1
    for frame in reversed(traceback.extract_tb(fault.__traceback__)):
        if Path(frame.filename).is_relative_to(folder):
            return frame.filename, frame.lineno or 1
    return str(folder / "__init__.py"), 1


def shown(file: str, folder: Path) -> str:
    """A plugin's file as people know it: ``plugins/NAME/device.py``."""
    path = Path(file)
    return str(path.relative_to(folder.parent.parent)) if path.is_relative_to(folder.parent.parent) else file
