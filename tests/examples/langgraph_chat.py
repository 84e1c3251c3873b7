"""A chat on LangGraph whose threads are redacted, sealed, and erasable by user.

python langgraph_chat.py u-42 t-1      # every line that you type is a message
"""

import sys
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import START, MessagesState, StateGraph

from vault import Vault
from vault.adapters.langgraph import VaultSaver


def answer(state: MessagesState) -> dict[str, Any]:
    """Put your model here."""
    said = [str(message.content) for message in state["messages"] if message.type == "human"]
    return {"messages": [AIMessage(f"You have said: {' / '.join(said)}")]}


user_id, thread_id = sys.argv[1:]
builder = StateGraph(MessagesState)
builder.add_node("answer", answer)
builder.add_edge(START, "answer")

with Vault.open("chat-vault") as vault:
    graph = builder.compile(checkpointer=VaultSaver(vault))
    for line in sys.stdin:
        state = graph.invoke(
            {"messages": [HumanMessage(line.strip())]},
            {"configurable": {"thread_id": thread_id, "user_id": user_id}},
        )
        print(state["messages"][-1].content)
