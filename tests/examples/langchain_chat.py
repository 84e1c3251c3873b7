"""A chat on LangChain whose history is redacted, sealed, and erasable by user.

python langchain_chat.py u-42 s-1      # every line that you type is a message
"""

import sys

from langchain_core.messages import AIMessage
from langchain_core.prompt_values import PromptValue
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import ConfigurableFieldSpec, RunnableLambda
from langchain_core.runnables.history import RunnableWithMessageHistory

from vault import Vault
from vault.adapters.langchain import VaultChatMessageHistory


def answer(prompt: PromptValue) -> AIMessage:
    """Put your model here."""
    said = [str(message.content) for message in prompt.to_messages() if message.type == "human"]
    return AIMessage(f"You have said: {' / '.join(said)}")


user_id, session_id = sys.argv[1:]
prompt = ChatPromptTemplate([MessagesPlaceholder("history"), ("user", "{said}")])

with Vault.open("chat-vault") as vault:
    chain = RunnableWithMessageHistory(
        prompt | RunnableLambda(answer),
        lambda user_id, session_id: VaultChatMessageHistory(session_id, vault, user_id),
        input_messages_key="said",
        history_messages_key="history",
        history_factory_config=[
            ConfigurableFieldSpec(id="user_id", annotation=str),
            ConfigurableFieldSpec(id="session_id", annotation=str),
        ],
    )
    for line in sys.stdin:
        reply = chain.invoke(
            {"said": line.strip()}, {"configurable": {"user_id": user_id, "session_id": session_id}}
        )
        print(reply.content)
