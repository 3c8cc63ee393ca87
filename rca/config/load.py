"""File, environment and flags -> `Config`, with where each value came from.

Flags win over the environment, the environment over the chosen profile, the profile over the file, and the file
over the defaults. A key that isn't known is refused: a typing error in a configuration must not be silently
ignored.
"""

import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from rca.config.settings import Config
from rca.errors import ConfigError

_SECTION_ENV = {
    "elasticsearch": "ES",
    "prometheus": "PROMETHEUS",
    "alertmanager": "ALERTMANAGER",
    "topology": "TOPOLOGY",
    "changes": "CHANGES",
    "window": "WINDOW",
}
_VARIABLES = (
    "RCA_ELASTICSEARCH_",
    "RCA_ES_",
    "RCA_PROMETHEUS_",
    "RCA_ALERTMANAGER_",
    "RCA_TOPOLOGY_",
    "RCA_CHANGES_",
    "RCA_WINDOW_",
)
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}
_USERINFO = re.compile(r"//[^/@\s]+@")
_SECRET = {"password", "api_key", "bearer_token", "cloud_id", "headers"}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration and its history.

    Attributes:
        origins: For each dotted key, who set it: `default`, `file …`, `profile …`, `RCA_…`, `flag`.
        path: The file that was read, or None.
    """

    config: Config
    origins: Mapping[str, str]
    path: Path | None

    def shown(self) -> Iterator[tuple[str, str, str]]:
        """Every key with its value and its origin; a secret's value is withheld."""
        for key, value in _flatten(self.config):
            secret = key.rsplit(".", 1)[-1] in _SECRET and value
            text = "(set, not shown)" if secret else _USERINFO.sub("//(not shown)@", _as_text(value))
            yield key, text, self.origins[key]


def default_path() -> Path:
    """Where the configuration file is looked for when none is named."""
    import platformdirs  # noqa: PLC0415 - only commands that need it pay for it

    return Path(platformdirs.user_config_dir("rca")) / "config.toml"


def data_dir(config: Config) -> Path:
    """Where past incidents and kept bundles live."""
    import platformdirs  # noqa: PLC0415 - only commands that need it pay for it

    return config.data_dir or Path(platformdirs.user_data_dir("rca"))


def config_hash(config: Config) -> str:
    """A short hash of what can change an analysis; where the data came from, and credentials, are left out."""
    relevant: dict[str, object] = {"guard_minutes": config.window.guard_minutes}
    if config.changes.vocabulary is not None:
        files = sorted(config.changes.vocabulary.glob("*.toml"))
        relevant["vocabulary"] = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    return hashlib.sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest()[:12]


def load_config(
    *,
    path: Path | None = None,
    profile: str | None = None,
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """Read the configuration.

    Args:
        path: The file; None for `RCA_CONFIG` or the user's own, which may be missing.
        profile: A `[profiles.NAME]` table of the file, laid over it.
        flags: Dotted keys with values, for example `{"elasticsearch.url": "…"}`; None values are ignored.
        environ: The environment.

    Raises:
        ConfigError: The file is missing (when named), isn't TOML, or holds an unknown key or a wrong type.
    """
    environ = os.environ if environ is None else environ
    named = path or (Path(environ["RCA_CONFIG"]) if environ.get("RCA_CONFIG") else None)
    file = named or default_path()
    document = _read(file, required=named is not None)
    layers = [(f"file {file}", _without_profiles(document))]
    chosen = profile or environ.get("RCA_PROFILE")
    if chosen:
        layers.append((f"profile {chosen}", _profile(document, chosen, file)))
    config, origins = Config(), {key: "default" for key, _ in _flatten(Config())}
    for origin, table in layers:
        config = _apply_table(config, table, origin, origins)
    known = {_env_name(key): key for key in origins}
    _refuse_unknown_variables(environ, known)
    for name in sorted(set(environ) & set(known)):
        if environ[name]:
            config = _set(config, known[name], environ[name], name, origins)
    for key, value in (flags or {}).items():
        if value is not None:
            config = _set(config, key, value, "flag", origins)
    return Loaded(config, origins, file if document else None)


def command_defaults(path: Path | None, environ: Mapping[str, str]) -> dict[str, Any]:
    """The `[commands]` table of the file: defaults for the flags of each command.

    Raises:
        ConfigError: As for `load_config`.
    """
    named = path or (Path(environ["RCA_CONFIG"]) if environ.get("RCA_CONFIG") else None)
    table = _read(named or default_path(), required=named is not None).get("commands", {})
    if not isinstance(table, dict):
        raise ConfigError("[commands] must be a table of tables", hint="Write [commands.investigate].")
    return table


def _read(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if not required:
            return {}
        raise ConfigError(
            f"there is no configuration file {path}", hint="Check the path, or make one: rca config init."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}", hint="Mend that line, then try again.") from error
    except IsADirectoryError as error:
        raise ConfigError(
            f"{path} is a folder", hint=f"Name the file in it, such as {path / default_path().name}."
        ) from error
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {error.strerror}", hint="Check its permissions.") from error


def _without_profiles(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in {"profiles", "commands"}}


def _profile(document: Mapping[str, Any], name: str, path: Path) -> dict[str, Any]:
    profiles = document.get("profiles", {})
    if name not in profiles:
        have = ", ".join(sorted(profiles)) or "none"
        raise ConfigError(
            f"there is no profile '{name}' in {path} (it has: {have})", hint=f"Add [profiles.{name}] to it."
        )
    return dict(profiles[name])


def _refuse_unknown_variables(environ: Mapping[str, str], known: Mapping[str, str]) -> None:
    """Refuse a variable that looks like one of ours and would be ignored: nobody finds that at 3 a.m."""
    for name in sorted(environ):
        if name not in known and name.startswith(_VARIABLES):
            close = get_close_matches(name.replace("ELASTICSEARCH", "ES"), known, n=1)
            raise ConfigError(
                f"the environment variable {name} names no setting",
                hint=f"Did you mean {close[0]}?" if close else "See 'rca config show' for the settings there are.",
            )


def _apply_table(config: Config, table: Mapping[str, Any], origin: str, origins: dict[str, str]) -> Config:
    for key, value in table.items():
        if key in _SECTION_ENV:
            if not isinstance(value, dict):
                raise ConfigError(f"'{key}' in {origin} must be a table", hint=f"Write [{key}].")
            for name, inner in value.items():
                config = _set(config, f"{key}.{name}", inner, origin, origins)
        else:
            config = _set(config, key, value, origin, origins)
    return config


def _set(config: Config, key: str, value: object, origin: str, origins: dict[str, str]) -> Config:
    if key not in origins:
        close = get_close_matches(key, origins, n=1)
        raise ConfigError(
            f"unknown key '{key}' in {origin}",
            hint=f"Did you mean '{close[0]}'?" if close else "See 'rca config show' for the keys there are.",
        )
    section, _, name = key.rpartition(".")
    owner = getattr(config, section) if section else config
    coerced = _coerce(value, get_type_hints(type(owner))[name], key, origin)
    values: dict[str, Any] = {name: coerced}
    if section:
        values = {section: replace(owner, **values)}
    origins[key] = origin
    return replace(config, **values)


def _coerce(value: object, annotation: Any, key: str, origin: str) -> Any:
    options = get_args(annotation) if get_origin(annotation) is UnionType else (annotation,)
    wanted = next(option for option in options if option is not type(None))
    try:
        return _convert(value, wanted)
    except (TypeError, ValueError) as error:
        shown = "" if key.rsplit(".", 1)[-1] in _SECRET else f", not {value!r}"
        raise ConfigError(
            f"'{key}' in {origin} must be {_describe(wanted)}{shown}", hint="Correct it, then try again."
        ) from error


def _convert(value: object, wanted: Any) -> Any:
    match wanted:
        case _ if wanted is bool:
            return _boolean(value)
        case _ if wanted is int or wanted is float:
            return _number(value, wanted)
        case _ if wanted is str and isinstance(value, str):
            return value
        case _ if wanted is Path and isinstance(value, str | Path):
            return Path(value).expanduser()
        case _ if get_origin(wanted) is tuple:
            items = value.split(",") if isinstance(value, str) else value
            if isinstance(items, list | tuple):
                return tuple(_convert(i.strip() if isinstance(i, str) else i, get_args(wanted)[0]) for i in items)
        case _ if get_origin(wanted) is Mapping:
            return _mapping(value)
    raise TypeError


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    raise TypeError


def _number(value: object, wanted: type[int] | type[float]) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    number = wanted(value)
    if not 0 <= number < float("inf"):
        raise ValueError
    return number


def _mapping(value: object) -> dict[str, str]:
    if isinstance(value, str):
        pairs = [pair.partition("=") for pair in value.split(",")]
        if not all(separator for _, separator, _ in pairs):
            raise ValueError
        return {name.strip(): text.strip() for name, _, text in pairs}
    if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
        return dict(value)
    raise TypeError


def _describe(wanted: Any) -> str:
    if get_origin(wanted) is tuple:
        return "a list of texts"
    if get_origin(wanted) is Mapping:
        return "a table of texts (in the environment: name=value,name=value)"
    return {bool: "true or false", int: "a whole number, 0 or more", float: "a number, 0 or more"}.get(
        wanted, "a text"
    )


def _env_name(key: str) -> str:
    section, _, name = key.rpartition(".")
    return "_".join(part for part in ("RCA", _SECTION_ENV.get(section, ""), name.upper()) if part)


def _flatten(config: Config) -> Iterator[tuple[str, Any]]:
    for entry in fields(config):
        value = getattr(config, entry.name)
        if is_dataclass(value):
            for inner in fields(value):
                yield f"{entry.name}.{inner.name}", getattr(value, inner.name)
        else:
            yield entry.name, value


def _as_text(value: object) -> str:
    if value is None or value in ("", (), {}):
        return "-"
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={item}" for key, item in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)
