"""`headwater init`: a workspace to start from."""

from pathlib import Path

import click

from loader.cli.output import note


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Create a workspace: headwater.yml, schemas/, dbt_project/."""
    from loader.scaffold import create_workspace
    from loader.warehouse import repair

    workspace = create_workspace(folder)
    for message in repair(workspace):
        note(message)
    click.echo(
        f"A new workspace: {folder}\n"
        "\n"
        "  headwater.yml   sources, destinations, syncs\n"
        "  schemas/        contracts: which events are let in\n"
        "  dbt_project/    models: users, orders, audiences\n"
        "\n"
        "Next:\n"
        f"  cd {folder}\n"
        "  headwater load events.ndjson     # one event a line, as Segment's SDKs send them\n"
        "  headwater transform              # build users, orders, audiences\n"
        "  headwater query 'select * from users'"
    )
