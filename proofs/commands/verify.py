"""``paging verify``: judge a certificate."""

from __future__ import annotations

import click

from paging.cli.exits import Exit, leave
from paging.cli.options import WholeIn, json_option
from paging.cli.terminal import remark, write_json
from proofs.certificates.formal import verify_formally
from proofs.checker import verify_file


@click.command()
@click.argument("file", type=click.Path(allow_dash=True))
@click.option(
    "--policy",
    metavar="MODULE:CLASS",
    help="Replay this policy where the certificate names it; registered policies are replayed anyway.",
)
@click.option("--no-replay", is_flag=True, help="Run no policy: the checker judges by itself.")
@click.option(
    "--limit",
    type=WholeIn(min=1),
    default=1,
    metavar="N",
    help="Allow N times the usual work and memory, which grow with the size of the file.",
)
@click.option(
    "--formal",
    is_flag=True,
    help="Ask the checker that is proved sound in Coq; make formal builds it.",
)
@json_option()
def verify(file: str, policy: str | None, no_replay: bool, limit: int, formal: bool, as_json: bool) -> None:
    """Judge a certificate, without trusting whoever made it.

    FILE is a certificate as JSON or gzipped JSON, "-" for standard input. Writes one line with the verdict
    and its reason, then what the verdict assumes, and on what it depends. A policy that the certificate is
    about, and that is registered here, is run and compared with what the verdict goes by; no other code that
    a certificate names is ever run.

    Exit code 0: VERIFIED, the evidence proves the claim. 1: REFUTED, it does not. 2: INCOMPLETE, the file is
    no certificate that can be judged. 3: CONDITIONAL, the evidence proves the claim if something holds that
    nobody has checked. The checker without this package: python proofs/checker FILE

    \b
    Examples:
      paging verify opt.json.gz
      paging verify opt.json --json
      paging verify mine.json --policy mypackage:Mine
      paging verify opt.json --formal
    """
    if formal:
        if no_replay or policy is not None:
            raise click.UsageError("--formal replays no policy: leave out --policy and --no-replay")
        verdict = verify_formally(file, limit)
    elif no_replay and policy is None:
        verdict = verify_file(file, limit)
    else:
        from proofs.certificates.replay import verify_and_replay

        if no_replay:
            raise click.UsageError("--policy asks for a replay, --no-replay for none")
        verdict = verify_and_replay(file, policy, limit)
    if as_json:
        write_json(
            {
                "file": file,
                "status": verdict.status,
                "reason": verdict.reason,
                "assumptions": verdict.assumptions,
                "conditions": verdict.conditions,
            }
        )
    else:
        click.echo("\n".join(verdict.lines()))
        if any("are alike to" in condition for condition in verdict.conditions):
            remark("a certificate that needs no likeness: paging exact … --no-symmetry --certificate FILE")
    leave(Exit(verdict.exit_code))
