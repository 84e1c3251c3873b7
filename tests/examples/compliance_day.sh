#!/bin/sh
# A day of whoever answers for the data: rules, a hold, a request to be forgotten, its proof, a drill.
#
#   sh compliance_day.sh      # in an empty directory; `vault` is in the PATH
set -eu

# -- a vault, its root apart from the data, on two disks ----------------------------------------------------
mkdir -p disk-a disk-b backups checkpoints
vault init chat-vault --root "file:$PWD/disk-a/root.key,$PWD/disk-b/root.key"
export TRANSCRIPT_VAULT_VAULT=chat-vault

cat >chats.jsonl <<'END'
{"user_id": "anna", "session_id": "s-1", "role": "user", "content": "My card is 4111 1111 1111 1111.", "timestamp": 1700000000}
{"user_id": "anna", "session_id": "s-1", "role": "assistant", "content": "Thank you, it is booked.", "timestamp": 1700000009}
{"user_id": "ben", "session_id": "s-2", "role": "user", "content": "When do you open?", "timestamp": 1700000018}
END
vault import chats.jsonl --from jsonl
vault backup backups/monday
vault restore backups/monday --drill      # opens a copy, reads a sample, changes nothing

# -- rules --------------------------------------------------------------------------------------------------
cat >policy.yaml <<'END'
version: 1
policy: ours
schedule: "0 3 * * *"
classes:
  - name: default
    keep: {at_most: 90d}
END
vault policy check policy.yaml
echo 'policies = "../policy.yaml"' >>chat-vault/vault.toml
vault policy explain --user anna --session s-1
vault purge --dry-run

# -- a court asks to keep Anna's chats: nothing of hers goes ------------------------------------------------
vault hold add --user anna --reason "case 7"
vault purge
vault forget-user anna --confirm anna --reason "request 881" || echo "refused with code $?"
vault hold release "$(vault hold list | cut -f1)" --reason "case 7 is closed"

# -- she is forgotten, and whoever holds the public key can check it ----------------------------------------
vault export --user anna --subject-access --policy policy.yaml --output anna.zip
vault forget-user anna --confirm anna --reason "request 881" --now --certificate 881.json
vault keys public >vault.pub
vault certificate verify 881.json --key vault.pub

# -- what the daemon does all the time, done once -----------------------------------------------------------
vault daemon --once --anchor checkpoints
vault log verify --anchor checkpoints --key vault.pub

# -- Monday's keyring opens no more: it still knew Anna. Tuesday's does -------------------------------------
vault restore backups/monday --drill || echo "refused with code $?"
vault backup backups/tuesday
vault restore backups/tuesday --drill
vault report --html report.html --anchor checkpoints
