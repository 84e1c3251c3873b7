"""A chat on the OpenAI Agents SDK whose sessions are redacted, sealed, and erasable by user.

python openai_agents_chat.py u-42 s-1      # every line that you type is a message
"""

import asyncio
import sys

from agents import Agent, RunConfig, Runner
from stand_ins import Parrot

from vault import AsyncVault
from vault.adapters.openai_agents import VaultSession


async def chat(user_id: str, session_id: str) -> None:
    agent = Agent(name="assistant", instructions="Be brief.", model=Parrot())  # put your model here
    async with await AsyncVault.open("chat-vault") as vault:
        session = VaultSession(session_id, vault, user_id=user_id)
        for line in sys.stdin:
            result = await Runner.run(
                agent,
                line.strip(),
                session=session,
                run_config=RunConfig(tracing_disabled=True),  # a trace holds what was said, unredacted
            )
            print(result.final_output)


asyncio.run(chat(*sys.argv[1:]))
