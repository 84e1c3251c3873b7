"""Move chats from LangChain's SQLChatMessageHistory into a vault; the app then says one other class name.

python move_from_langchain_sql.py memory.db
"""

import sys

from vault import Vault
from vault.adapters.langchain import VaultChatMessageHistory

# SQLChatMessageHistory knows sessions and no users. Your app knows whose each is: put a query here.
OWNERS = {"s-1": "anna", "s-2": "ben"}

[old] = sys.argv[1:]
with Vault.open("chat-vault") as vault:
    for session_id, user_id in OWNERS.items():
        done = vault.import_from(old, "langchain-sql", user_id=user_id, session_id=session_id)
        print(f"{session_id} of {user_id}: {done.added} added, {done.known} known, replaced {done.entities}")

    # In the app, SQLChatMessageHistory(session_id, connection=…) becomes:
    history = VaultChatMessageHistory("s-1", vault, user_id="anna")
    history.add_user_message("Are you still there?")
    print([message.content for message in history.messages])

print(f"{old} and its backups still hold the plain text: destroy them when nothing needs them any more.")
