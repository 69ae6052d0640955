"""An agent behind a chat API: what it is asked, who asks, what is written down, and a server for offline agents."""

from a2a.chat.agent import ChatAgent, NoValidReply, Settings
from a2a.chat.calls import Reply, Request
from a2a.chat.client import ChatClient
from a2a.chat.protocol import Form, messages, schema, stated, stated_prompt
from a2a.chat.replies import Outcome, parse
from a2a.chat.transcripts import ReplayMiss, TranscriptError, Transcripts, recording_file, recordings
from a2a.models.errors import BudgetExhausted, CallFailed, RequestRejected
from a2a.models.errors import CallError as ChatError
from a2a.models.usage import Prices, Usage

__all__ = [
    "BudgetExhausted",
    "CallFailed",
    "ChatAgent",
    "ChatClient",
    "ChatError",
    "Form",
    "NoValidReply",
    "Outcome",
    "Prices",
    "ReplayMiss",
    "Reply",
    "Request",
    "RequestRejected",
    "Settings",
    "TranscriptError",
    "Transcripts",
    "Usage",
    "messages",
    "parse",
    "recording_file",
    "recordings",
    "schema",
    "stated",
    "stated_prompt",
]
