"""``paging verify``: judge a certificate."""

from __future__ import annotations

import click

from paging.cli.exits import Exit, leave
from paging.cli.options import json_option
from paging.cli.terminal import write_json
from proofs.checker import VERIFIED, verify_file


@click.command()
@click.argument("file", type=click.Path())
@click.option(
    "--replay",
    is_flag=True,
    help="Also run the policy that a certificate of type cycle, potential or exact is about, and compare.",
)
@json_option()
def verify(file: str, replay: bool, as_json: bool) -> None:
    """Judge a certificate, without trusting whoever made it.

    FILE is a certificate as JSON or gzipped JSON. Writes one line with the verdict and its reason, then what
    the verdict assumes.

    Exit code 0: VERIFIED, the evidence proves the claim. 1: REFUTED, it does not. 2: INCOMPLETE, the file is
    no certificate that can be judged. The same check without this package: python proofs/checker FILE

    \b
    Examples:
      paging verify opt.json.gz
      paging verify opt.json --json
      paging verify exact.json.gz --replay
    """
    verdict = verify_file(file)
    if replay and verdict.status == VERIFIED:
        from proofs.certificate import read_certificate
        from proofs.replay import replay as replayed

        verdict = replayed(read_certificate(file), verdict)
    if as_json:
        write_json(
            {
                "file": file,
                "verdict": verdict.status,
                "reason": verdict.reason,
                "assumptions": verdict.assumptions,
            }
        )
    else:
        click.echo(f"{verdict.status}: {verdict.reason}")
        for assumption in verdict.assumptions:
            click.echo(f"  assuming {assumption}")
    leave(Exit(verdict.exit_code))
