"""A real kernel, asked as JupyterLab asks it."""

from __future__ import annotations

from jupyter_client.manager import start_new_kernel


class Kernel:
    """Cells run one after the other; what each printed, showed and refused."""

    def __init__(self, folder):
        self.manager, self.client = start_new_kernel(cwd=str(folder))
        assert not self.run("import hftlib as hft\n%load_ext hftlib").error

    def run(self, code, interrupted_at="", cell="", timeout=120):
        """What came of it; the same `cell` twice is a cell that runs again."""
        found = Told()
        content = {"code": code, "silent": False, "store_history": True, "stop_on_error": True}
        content |= {"user_expressions": {}, "allow_stdin": False}
        metadata = {"cellId": cell} if cell else {}
        asked = self.client.session.msg("execute_request", content, metadata=metadata)
        self.client.shell_channel.send(asked)
        while True:
            message = self.client.get_iopub_msg(timeout=timeout)
            if message["parent_header"].get("msg_id") != asked["header"]["msg_id"]:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                found.text += content["text"]
                if interrupted_at and interrupted_at in found.text:
                    interrupted_at = ""
                    self.manager.interrupt_kernel()
            elif kind in ("display_data", "execute_result", "update_display_data"):
                found.html += content["data"].get("text/html", "")
                found.kinds += list(content["data"])
            elif kind == "error":
                found.error = "\n".join(content["traceback"])
            elif kind == "status" and content["execution_state"] == "idle":
                return found

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


class Told:
    """What came of a cell."""

    def __init__(self):
        self.text = self.html = self.error = ""
        self.kinds = []
