"""`template`: units that a machine can run the daemon by."""

from __future__ import annotations

import click

from vault.cli.talking import Group, harmless
from vault.errors import UsageError

_SYSTEMD = """\
# /etc/systemd/system/transcript-vault.service
#
# What the vault takes beside its place (keyring, root, policies) stands in its vault.toml or in
# /etc/transcript-vault.env as TRANSCRIPT_VAULT_KEYRING, _ROOT and _POLICIES.
# Wherever the databases and the root lie must be among ReadWritePaths.{more}

[Unit]
Description=Transcript vault: retention on schedule
Documentation=man:systemd.service(5)
After=network-online.target postgresql.service mariadb.service
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart={start} daemon
ExecReload=/bin/kill -HUP $MAINPID
EnvironmentFile=-/etc/transcript-vault.env
User=transcript-vault
Group=transcript-vault
StateDirectory=transcript-vault
StateDirectoryMode=0700
UMask=0077{paths}
Restart=on-failure
RestartSec=10
WatchdogSec=120
TimeoutStopSec=120

# What it has no need of. Keys in memory must not reach a core dump or the swap.
LimitCORE=0
MemorySwapMax=0
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
KeyringMode=private
RemoveIPC=yes

[Install]
WantedBy=multi-user.target
"""

_URL = """
# The URL of the vault belongs into that file, too, as TRANSCRIPT_VAULT_VAULT: let root alone read it, for
# everybody may read this one. What holds the files of an SQLite URL needs a line ReadWritePaths= below."""

_DOCKERFILE = """\
# syntax=docker/dockerfile:1
# docker build -t transcript-vault . && docker run --read-only --tmpfs /tmp --cap-drop ALL \\
#   --security-opt no-new-privileges -v vault:/var/lib/transcript-vault transcript-vault
#
# A root that lies in the same volume as the data goes into the same backups: mount it from elsewhere, or name
# one by TRANSCRIPT_VAULT_ROOT.
FROM python:3.12-slim

RUN useradd --system --uid 10001 --home-dir /var/lib/transcript-vault --shell /usr/sbin/nologin vault \\
    && install -d -m 0700 -o vault -g vault /var/lib/transcript-vault
RUN pip install --no-cache-dir "transcript-vault[postgres,mysql,metrics]=={version}"

USER vault
VOLUME /var/lib/transcript-vault
ENV TRANSCRIPT_VAULT_VAULT=/var/lib/transcript-vault/chat \\
    PYTHONDONTWRITEBYTECODE=1 \\
    PYTHONUNBUFFERED=1
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \\
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8642/livez', timeout=4)"]
ENTRYPOINT ["vault"]
CMD ["daemon"]
"""


@click.group(
    "template",
    cls=Group,
    examples=(
        "vault template systemd > /etc/systemd/system/transcript-vault.service",
        "vault template dockerfile > Dockerfile",
    ),
)
def template() -> None:
    """Print units to run the daemon by."""


@template.command("systemd", examples=("vault template systemd --vault /var/lib/transcript-vault/chat",))
@click.option(
    "--vault",
    "where",
    metavar="WHERE",
    default="/var/lib/transcript-vault/chat",
    show_default=True,
    help="The vault's directory, or the URL of its transcripts.",
)
@click.option(
    "--program", metavar="PATH", default="/usr/local/bin/vault", show_default=True, help="Where vault is."
)
def systemd(where: str, program: str) -> None:
    """Print a hardened unit for systemd.

    A URL, which may hold a password, is not printed: the unit takes it from a file that only root reads.
    """
    from vault.config import is_url

    if not program.startswith("/") and ("/" in program or not program):
        raise UsageError(
            "a service finds a program by its whole path, or by its bare name",
            hint="--program /opt/transcript-vault/bin/vault",
        )
    start, more, paths = _word(program), "", ""
    if is_url(where):
        more = _URL
    elif not where.startswith("/"):
        raise UsageError(
            "a service has no directory in which it stands", hint="--vault /var/lib/transcript-vault/chat"
        )
    else:
        start += f" --vault {_word(where).replace('$', '$$')}"  # variables are for commands alone
        paths = f"\nReadWritePaths={_word(f'-{where}')}"
    click.echo(harmless(_SYSTEMD.format(start=start, more=more, paths=paths).rstrip("\n")))


def _word(said: str) -> str:
    """Write a word for systemd: % as itself, and what holds white space or quotes in quotes."""
    said = said.replace("%", "%%")
    if not any(sign.isspace() or sign in "\"'\\" for sign in said):
        return said
    escaped = said.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@template.command("dockerfile", examples=("vault template dockerfile > Dockerfile",))
def dockerfile() -> None:
    """Print a Dockerfile: no root, a read-only file system."""
    from vault.version import __version__

    click.echo(harmless(_DOCKERFILE.replace("{version}", __version__).rstrip("\n")))
