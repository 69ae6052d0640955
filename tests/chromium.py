"""A headless Chromium, driven through its own driver over HTTP: what a reader's browser does with a page."""

import base64
import shutil
import subprocess
import time
from contextlib import contextmanager

import httpx2

DRIVER = shutil.which("chromedriver")
ARGUMENTS = ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "hide-scrollbars")
KEYS = {"Tab": "\ue004", "Enter": "\ue007"}
PATIENCE = 60


class Chromium:
    """An open window."""

    def __init__(self, client, session):
        self._client, self._session = client, session

    def ask(self, path, method="POST", **body):
        answer = self._client.request(
            method, f"/session/{self._session}/{path}", json=body if method == "POST" else None
        )
        value = answer.json()["value"]
        assert answer.is_success, value
        return value

    def open(self, address):
        self.ask("url", url="about:blank")  # an address that differs in its fragment alone would load nothing
        self.ask("url", url=address)

    def run(self, script, *arguments):
        """What a script returns."""
        return self.ask("execute/sync", script=script, args=list(arguments))

    def wait(self, script, *arguments):
        """What a script returns, as soon as it is something."""
        end = time.monotonic() + PATIENCE
        while not (found := self.run(script, *arguments)):
            assert time.monotonic() < end, f"waited for {script}"
            time.sleep(0.05)
        return found

    def press(self, *keys):
        actions = [{"type": kind, "value": KEYS.get(key, key)} for key in keys for kind in ("keyDown", "keyUp")]
        self.ask("actions", actions=[{"type": "key", "id": "keyboard", "actions": actions}])

    def size(self, width, height):
        self.run_command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    def run_command(self, name, **parameters):
        return self.ask("goog/cdp/execute", cmd=name, params=parameters)

    def errors(self):
        """What went wrong on the page since the last call."""
        return [entry["message"] for entry in self.ask("se/log", type="browser") if entry["level"] == "SEVERE"]

    def picture(self):
        """A PNG of the window."""
        return base64.b64decode(self.ask("screenshot", "GET"))


@contextmanager
def chromium():
    """A window for as long as it is needed."""
    with subprocess.Popen([DRIVER, "--port=0"], stdout=subprocess.PIPE, text=True) as driver:
        try:
            port = (
                next(line for line in driver.stdout if "successfully on port" in line)
                .split("on port ")[1]
                .strip(" .\n")
            )
            options = {"args": [f"--{one}" for one in ARGUMENTS]}
            wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=PATIENCE) as client:
                opened = client.post("/session", json={"capabilities": {"alwaysMatch": wanted}}).json()["value"]
                session = opened["sessionId"]
                yield Chromium(client, session)
                client.delete(f"/session/{session}")
        finally:
            driver.terminate()
