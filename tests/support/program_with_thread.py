"""A module that starts a thread when it is imported, as none that is forked may."""

from __future__ import annotations

import threading

threading.Thread(target=threading.Event().wait, daemon=True).start()
