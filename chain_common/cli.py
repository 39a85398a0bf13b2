"""``chain``: the command line. Commands import what they need when they run, so that ``--help`` answers at once."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from chain_common.errors import ChainError

Command = TypeVar("Command", bound=Callable[..., Any])


def _world_options(command: Command) -> Command:
    """Add the options that say which chain, store and home."""
    for option in (
        click.option("--home", help="Folder of keys, vault and database (CHAIN_HOME)."),
        click.option("--storage", "storage_url", help="Content store: local, file:///a/folder or a Kubo RPC URL."),
        click.option("--chain", "rpc_url", help="JSON-RPC URL of the chain (CHAIN_RPC_URL)."),
        click.option("--contract", help="Address of ModelRepository (CHAIN_CONTRACT)."),
        click.option("--contracts-file", help="Where the contracts' addresses are recorded (CHAIN_CONTRACTS_FILE)."),
        click.option("--password-file", help="File whose first line unlocks the account at start."),
    ):
        command = option(command)
    return command


def _serving_options(command: Command) -> Command:
    """Add the options of a command that serves pages."""
    for option in (
        click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on (CHAIN_PORT)."),
        click.option("--host", help="Address to listen on; anything but loopback is your risk (CHAIN_HOST)."),
        click.option("--key-bits", type=int, hidden=True),
    ):
        command = option(command)
    return command


def _explained(command: Command) -> Command:
    """Turn our own errors into one line and exit status 1."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 -- click's callbacks return anything
        try:
            return command(*args, **kwargs)
        except ChainError as error:
            click.echo(f"chain: {error.sentence}", err=True)
            sys.exit(1)

    return run  # type: ignore[return-value]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="chain-credit", prog_name="chain")
def main() -> None:
    """Credit models from other people's loan records, without their records."""


@main.command()
@_serving_options
@_world_options
@_explained
def company(**flags: object) -> None:
    """Run the lender's app."""
    from chain_common.settings import load_settings
    from chain_common.web.kit import serve
    from company_app import create_app
    from company_app.container import open_container

    settings = load_settings(flags)
    parts = open_container(settings)
    port = _port(settings.port, 8100)
    _run(parts.start, parts.stop, lambda: serve(create_app(parts), settings.host, port), settings.host, port)


@main.command("data-owner")
@_serving_options
@_world_options
@_explained
def data_owner(**flags: object) -> None:
    """Run the data owner's app."""
    from chain_common.settings import load_settings
    from chain_common.web.kit import serve
    from data_owner_app import create_app
    from data_owner_app.container import open_container

    settings = load_settings(flags)
    parts = open_container(settings)
    port = _port(settings.port, 8200)
    _run(parts.start, parts.stop, lambda: serve(create_app(parts), settings.host, port), settings.host, port)


def _port(asked: int | None, usual: int) -> int:
    """Return the port to listen on; 0 asks for any that is free."""
    from chain_common.demo.ports import free_port

    return usual if asked is None else asked or free_port()


def _run(start: Callable[[], None], stop: Callable[[], None], serve: Callable[[], None], host: str, port: int) -> None:
    """Serve until interrupted or terminated; unfinished work is taken up at the next start."""
    import signal

    def leave(*_: object) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)
    click.echo(f"http://{host}:{port}", err=True)
    start()
    try:
        serve()
    except KeyboardInterrupt:
        pass
    finally:
        stop()


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print the deployment as JSON.")
@click.option("--key-file", help="File with the private key that pays; by default the node's first account.")
@click.option("--contracts-file", help="Where to record the addresses (CHAIN_CONTRACTS_FILE).")
@click.option("--chain", "rpc_url", help="JSON-RPC URL of the chain (CHAIN_RPC_URL).")
@click.option("--home", help="Folder the record goes to by default (CHAIN_HOME).")
@_explained
def deploy(*, as_json: bool, key_file: str | None, **flags: object) -> None:
    """Deploy the contracts to a chain and record their addresses; what is there already is kept."""
    from dataclasses import asdict

    from chain_common.demo.bank import deploy_once
    from chain_common.settings import load_settings

    deployment = deploy_once(load_settings(flags), key_file)
    if as_json:
        click.echo(json.dumps(asdict(deployment)))
    else:
        click.echo(f"ModelRepository is at {deployment.contract} on chain {deployment.chain_id}.")


@main.command()
@click.option("--headless", is_flag=True, help="Play the whole story through the apps' HTTP routes, then exit.")
@click.option("--chain", default="", help="anvil, ganache, or a JSON-RPC URL; by default anvil, else ganache.")
@click.option("--storage", default="local", show_default=True, help="local, or the URL of a Kubo node's RPC.")
@click.option("--data", type=click.Path(exists=True, dir_okay=False), help="A CSV of finished loans.")
@click.option("--owners", type=click.IntRange(2, 17), help="Data owners; 8 headless, 3 besides you otherwise.")
@click.option("--preset", default="lending-club-compact", show_default=True, help="Model-spec preset.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one JSON object on the last line.")
@click.option("--browser/--no-browser", default=True, help="Open the apps in a browser.")
@_explained
def demo(**options: Any) -> None:  # noqa: ANN401 -- click checks them
    """Play chAIn's training story on a local chain with real transactions."""
    from chain_common.demo.play import play

    sys.exit(play(**options))


if __name__ == "__main__":
    main()
