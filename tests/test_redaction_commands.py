"""Users and passwords as commands are given them, and the many other things that `-p` says."""

from __future__ import annotations

import pytest
from timing import quickest

from vault.redaction.engine import Engine
from vault.redaction.finder import Patterns

PASSWORD = "Blau-Wal-77"


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine()


@pytest.mark.parametrize(
    "text",
    [
        "docker login -u moduya -p {} registry.example.com",
        "why does `docker login -u moduya -p {}` say unauthorized",
        "az login -u moduya@corp.example.com -p {}",
        "mysql -h db1 -u moduya -p{} shop",
        "mysqldump -umoduya -p'{}' shop > dump.sql",
        "net use Z: \\\\nas\\media --user moduya --password {}",
        'ldapsearch -x -D "cn=moduya,dc=corp" -w {}',
        "openssl enc -aes-256-cbc -k {} -in a -out b",
        "7z x backup.zip -p{}",
        "redis-cli -h cache1 -a {} ping",
        "unzip -P {} photos.zip",
        "net user moduya {} /add",
        "sudo useradd -m moduya -p {}",
        'echo "moduya:{}" | sudo chpasswd',
        "htpasswd -b .htpasswd moduya {}",
        "```sh\ndocker login -u moduya -p {}\n```",
        "$ oc login --username=moduya --password={} https://api.example.com:6443",
    ],
)
def test_a_password_that_a_command_is_given_is_found(engine: Engine, text: str) -> None:
    redacted = engine.redact_text(text.format(PASSWORD)).text
    assert PASSWORD not in redacted
    assert "-77" not in redacted
    assert "moduya" not in redacted.replace("\\", "")


@pytest.mark.parametrize(
    "text",
    [
        "docker run -u root -p 8080:80 nginx",
        "sudo -u www-data mkdir -p storage/logs/2024",
        "ssh -p 2222 web1",
        "psql -U postgres -p 5433 -d shop",
        "mysql -u root -p shop",
        "mysql -u root -p$DB_PASSWORD shop",
        "docker login -u $USER -p $TOKEN",
        "docker login -u <user> -p <password>",
        "mkdir -p build/v1.2 && cd build",
        "nmap -p 22,80,443 localhost",
        "openssl dgst -sha256 file.bin",
        "tar -xzpf a.tgz && unzip -p a.zip readme.md",
        "kubectl run web -u 1000 -p app=web2",
    ],
)
def test_an_option_that_hands_over_no_password_is_left_alone(engine: Engine, text: str) -> None:
    assert "SECRET" not in {one.entity for one in engine.find(text)}


@pytest.mark.wide
@pytest.mark.parametrize("said", [" -u a", " -u ab -p", "openssl a ", "net user ab ", " -u ab -p a1234567"])
def test_commands_without_an_end_take_linear_time(said: str) -> None:
    patterns = Patterns()
    patterns.find("ls -u x", code=True)
    assert quickest(lambda: patterns.find(said * 10_000, code=True), 2) < 2
