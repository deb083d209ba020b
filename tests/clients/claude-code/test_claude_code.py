"""Claude Code itself, headless, before a DeepSeek upstream with its rules enforced: `sluice upstream --rules
deepseek` answers by a script, with a 400 where DeepSeek would, and counts what its prefix cache would hit."""

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "python"))

from sluice import KEPT, Process, start_gateway  # noqa: E402  # after the path is known

VERSION = "2.1.328"
SECONDS = 100
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
CONFIG = """
upstreams:
  deepseek:
    preset: deepseek
    base_url: "{base_url}"
    api_key: sk-upstream
    retry: {{max_retries: 1, base_delay: 10ms}}
    breaker: off
routes:
  - {{model: "*", to: deepseek/deepseek-flash}}
limits: {{drain_timeout: 1s}}
"""


def find_claude():
    found = sorted((HERE / "node_modules/@anthropic-ai").glob("claude-code-*/claude"))
    assert found, "tests/setup.sh claude-code installs it"
    return str(found[0])


# The upstream's script (docs/embedded.md).


def turn(content="", reasoning="Let me think.", calls=(), **more):
    """What the model thinks, says and calls: (id, name, arguments)."""
    called = [{"id": id, "name": name, "arguments": arguments} for id, name, arguments in calls]
    return {"reasoning": reasoning, "content": content, "tool_calls": called, **more}


def cut(told, after):
    """It dies after so many events."""
    return {**told, "cut_after": after, "then": "reset"}


def rule(told, contains=None, times=None):
    """Tells the turn, where the request contains the text (of the turn before)."""
    made = {"match": {"path": "*/chat/completions"}, "turn": told}
    if contains:
        made["match"]["contains"] = contains
    if times:
        made["times"] = times
    return made


def script(*turns):
    """Rules for a conversation of these turns, each (content, reasoning, calls): who has got so far as to
    show the calls of one turn gets the next one."""
    rules = []
    for number, told in enumerate(turns):
        before = turns[number - 1][2][-1][0] if number else None
        rules.insert(0, rule(turn(*told), before))
    return rules


def bash(id, command):
    return (id, "Bash", {"command": command, "description": "A command"})


class Upstream(Process):
    def __init__(self, rules):
        super().__init__()
        written = self.file("script.json", json.dumps({"rules": rules}))
        self.journal_file = str(self.folder / "journal")
        self.start("upstream", "--port", "0", "--script", written, "--journal", self.journal_file, "--rules", "deepseek")

    def journal(self):
        with open(self.journal_file, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]


class ClaudeCode(unittest.TestCase):
    def setUp(self):
        self.home = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="sluice-claude-")))
        self.work = self.home / "work"
        self.work.mkdir()

    def start(self, rules):
        self.upstream = Upstream(rules)
        self.addCleanup(self.upstream.stop)
        self.gateway = start_gateway(CONFIG.format(base_url=self.upstream.base_url))
        self.addCleanup(self.gateway.stop)

    def claude(self, prompt, *arguments, allowed=("Bash", "Read")):
        """What it prints at last. Nothing of the caller's own settings gets in."""
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        environment |= {"HOME": str(self.home), "ANTHROPIC_BASE_URL": self.gateway.origin, "ANTHROPIC_AUTH_TOKEN": "sk-test",
                        "DISABLE_TELEMETRY": "1", "DISABLE_AUTOUPDATER": "1",
                        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "CLAUDE_CODE_MAX_RETRIES": "3"}
        command = ["setpriv", "--pdeathsig", "KILL", find_claude(), "-p", prompt, *arguments, "--allowedTools", *allowed]
        child = subprocess.Popen(command, cwd=self.work, env=environment, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
        try:
            told, complaints = child.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            told, complaints = child.communicate()
            self.fail(f"it hangs: {told} {complaints}\n{self.told()}")
        self.assertEqual(child.returncode, 0, f"{told} {complaints}\n{self.told()}")
        self.check_requests()
        return told.strip()

    def told(self):
        return json.dumps([entry for entry in self.upstream.journal() if entry["event"] != "request"])[-3000:]

    @property
    def requests(self):
        """What the upstream was asked, in order."""
        return [json.loads(entry["body"]) for entry in self.upstream.journal() if entry["event"] == "request"]

    def check_requests(self):
        """What must hold of every run: DeepSeek's rules, and kindness to its prefix cache."""
        violations = [entry for entry in self.upstream.journal() if entry["event"] == "violation"]
        self.assertEqual(violations, [])
        latest = {}
        for asked in self.requests:
            self.assertNotIn("x-anthropic-billing-header", json.dumps(asked))
            for said in asked["messages"]:
                if said["role"] == "assistant":
                    self.assertIsInstance(said.get("reasoning_content"), str, said)
            conversation = json.dumps(asked["messages"][:2])
            before = latest.get(conversation)
            if before:
                self.assert_extends(before, asked)
            latest[conversation] = asked

    def assert_extends(self, before, asked):
        """The prompt that DeepSeek renders of `asked` begins with that of `before`."""
        for what in ("messages", "tools"):
            self.assertEqual(asked[what][:len(before[what])], before[what])
        for name in ("thinking", "reasoning_effort", "model", "user_id"):
            self.assertEqual(asked.get(name), before.get(name))

    def said(self, role, index=-1):
        """The messages of a role in one of the requests."""
        return [said for said in self.requests[index]["messages"] if said["role"] == role]

    def test_the_version_is_the_pinned_one(self):
        told = subprocess.run([find_claude(), "--version"], env={"HOME": str(self.home), "PATH": os.environ["PATH"]},
                              capture_output=True, text=True, timeout=SECONDS, check=True)
        self.assertTrue(told.stdout.startswith(VERSION), told)

    def test_a_plain_answer(self):
        self.start(script(("Hello from 世界 😀.", "Simple.", ())))
        self.assertEqual(self.claude("Say hello"), "Hello from 世界 😀.")
        (asked,) = self.requests
        self.assertEqual(asked["thinking"], {"type": "enabled"})
        self.assertGreaterEqual(asked["max_tokens"], 32000)
        self.assertTrue(asked["stream"])
        self.assertIn("Bash", [known["function"]["name"] for known in asked["tools"]])

    def test_a_bash_call_and_its_result(self):
        self.start(script(("", "I run it: é 😀.", [bash("call_00_a", "echo h''i")]), ("It said hi.", "Done.", ())))
        self.assertEqual(self.claude("run it"), "It said hi.")
        (result,) = self.said("tool")
        self.assertEqual((result["tool_call_id"], result["content"]), ("call_00_a", "hi"))
        (turn,) = self.said("assistant")
        self.assertEqual(turn["reasoning_content"], "I run it: é 😀.")
        self.assertEqual(json.loads(turn["tool_calls"][0]["function"]["arguments"]), bash("", "echo h''i")[2])

    def test_two_parallel_calls(self):
        """Claude Code gives results as they are done; the upstream gets them in the order of the calls."""
        calls = [bash("call_00_a", "sleep 0.7; echo one"), bash("call_01_b", "echo two")]
        self.start(script(("Both at once.", "Two.", calls), ("One and two.", "Done.", ())))
        self.assertEqual(self.claude("run both"), "One and two.")
        self.assertEqual([(said["tool_call_id"], said["content"]) for said in self.said("tool")],
                         [("call_00_a", "one"), ("call_01_b", "two")])

    def test_a_failing_call(self):
        self.start(script(("", "I try.", [bash("call_00_a", "echo oh; exit 3")]), ("It failed.", "Pity.", ())))
        self.assertEqual(self.claude("try it"), "It failed.")
        (result,) = self.said("tool")
        self.assertIn("Exit code 3", result["content"])

    def test_an_image_is_read(self):
        (self.work / "dot.png").write_bytes(PNG)
        path = str(self.work / "dot.png")
        self.start(script(("", "I look.", [("call_00_a", "Read", {"file_path": path})]), ("A dot.", "I see.", ())))
        self.assertEqual(self.claude("what is in dot.png?"), "A dot.")
        roles = [said["role"] for said in self.requests[-1]["messages"]]
        self.assertEqual(roles[-2:], ["tool", "user"])
        parts = self.said("user")[-1]["content"]
        self.assertIn("image_url", [part["type"] for part in parts])

    def delegate(self, **how):
        task = {"description": "A task", "prompt": "SUBTASK: run it and report", "subagent_type": "general-purpose", **how}
        self.start([rule(turn("Report: hi.", "Ran."), "call_00_inner"),
                    rule(turn("The agent reports hi.", "Good."), "Report: hi."),
                    rule(turn("I wait.", "Not yet."), "call_00_agent"),
                    rule(turn("", "I am the agent.", [bash("call_00_inner", "echo h''i")]), "SUBTASK: run it and report"),
                    rule(turn("", "I delegate.", [("call_00_agent", "Agent", task)]))])
        return self.claude("delegate it", allowed=("Bash", "Agent", "Read"))

    def test_a_sub_agent(self):
        self.assertEqual(self.delegate(run_in_background=False), "The agent reports hi.")
        self.assertIn("Report: hi.", json.dumps(self.said("tool")))

    def test_a_sub_agent_in_the_background(self):
        """Its report comes as a user's message, in a later turn."""
        self.assertTrue(self.delegate().endswith("The agent reports hi."))
        self.assertIn("Report: hi.", json.dumps(self.said("user")))

    def test_thinking_through_many_turns(self):
        turns = [(f"Step {number}.", f"Thought {number}:" + " why" * 50, [bash(f"call_{number}_x", f"echo {number}")])
                 for number in range(5)]
        self.start(script(*turns, ("All done.", "At last.", ())))
        told = json.loads(self.claude("five steps", "--output-format", "json"))
        self.assertEqual((told["result"], told["is_error"], told["num_turns"]), ("All done.", False, 6))
        self.assertEqual(len(self.requests), 6)
        self.assertEqual([said["reasoning_content"] for said in self.said("assistant")], [told[1] for told in turns])
        self.assertEqual([said["content"] for said in self.said("tool")], [str(number) for number in range(5)])
        self.assert_cache_grows()
        self.assertEqual(told["usage"]["cache_read_input_tokens"], sum(each["cached_tokens"] for each in self.turns))
        self.assertEqual(told["usage"]["input_tokens"],
                         sum(each["prompt_tokens"] - each["cached_tokens"] for each in self.turns))

    @property
    def turns(self):
        """What the upstream says of the prompts of its turns."""
        return [entry for entry in self.upstream.journal() if entry["event"] == "turn"]

    def assert_cache_grows(self):
        """By the upstream's own cache, of the prompts as it renders them."""
        first, *later = self.turns
        self.assertEqual(len(later), len(self.requests) - 1)
        self.assertTrue(all(told["extends"] for told in later), later)
        hits = [told["cached_tokens"] for told in later]
        self.assertEqual(hits, sorted(set(hits)))
        self.assertGreater(hits[0], 0.9 * first["prompt_tokens"])

    def test_a_conversation_that_goes_on(self):
        self.start([rule(turn("Second.", "Again."), "and then?"), rule(turn("First.", "Once."))])
        self.assertEqual(self.claude("begin"), "First.")
        self.assertEqual(self.claude("and then?", "--continue"), "Second.")
        self.assertEqual([said["reasoning_content"] for said in self.said("assistant")], ["Once."])

    def test_a_tool_that_is_loaded_on_demand(self):
        search = ("call_00_a", "ToolSearch", {"query": "select:WebFetch", "max_results": 1})
        self.start(script(("", "I need a tool.", [search]), ("Loaded.", "There.", ())))
        self.assertEqual(self.claude("load it", allowed=("ToolSearch",)), "Loaded.")
        names = [[known["function"]["name"] for known in asked["tools"]] for asked in self.requests]
        self.assertNotIn("DeferredToolPlaceholder", names[0])
        self.assertEqual(names[1], [*names[0], "WebFetch"])

    def test_arguments_that_are_no_json(self):
        """It tells the model so, and the model's own text goes back to it."""
        broken = '{"command": "echo hi" "description"'
        self.start([rule(turn("I see.", "Sorry."), "call_00_a"), rule(turn("", "Hm.", [("call_00_a", "Bash", broken)]))])
        self.assertEqual(self.claude("run it"), "I see.")
        self.assertEqual(self.said("assistant")[0]["tool_calls"][0]["function"]["arguments"], broken)

    def recovers(self, dying, after):
        """From a turn that is cut off once."""
        self.start([rule(cut(dying, after), times=1), rule(turn("Here I am."))])
        self.assertEqual(self.claude("are you there?"), "Here I am.")
        self.assertEqual(len(self.requests), 2)
        self.assertTrue(self.requests[-1]["stream"])

    def test_an_upstream_that_dies_before_its_answer(self):
        self.recovers(turn("Never heard."), 1)

    def test_an_upstream_that_dies_in_its_thoughts(self):
        self.recovers(turn("Never heard.", "A long thought. " * 20), 20)

    def test_an_upstream_that_dies_in_its_words(self):
        self.recovers(turn("This is the beginning of an answer. " * 5, "Hm."), 12)

    def test_an_upstream_that_dies_in_a_call(self):
        dying = turn("", "Hm.", [bash("call_00_lost", "echo never " * 20)])
        self.start([rule(turn("It said hi.", "Done."), "call_00_a"), rule(cut(dying, 20), times=1),
                    rule(turn("", "I run it.", [bash("call_00_a", "echo h''i")]))])
        self.assertEqual(self.claude("run it"), "It said hi.")
        self.assertEqual([said["tool_call_id"] for said in self.said("tool")], ["call_00_a"])

    def test_an_upstream_that_dies_between_its_words_and_a_call(self):
        """What was said is shown, and the model is asked to go on."""
        dying = turn("I run it.", "Hm.", [bash("call_00_lost", "echo never")])
        self.start([rule(cut(dying, 5), times=1), rule(turn("Here I am."))])
        self.assertTrue(self.claude("are you there?").endswith("Here I am."))

    def test_an_upstream_that_is_overloaded(self):
        busy = {"error": {"status": 503, "message": "Server overloaded"}}
        self.start([rule(busy, times=2), rule(turn("Here I am."))])
        self.assertEqual(self.claude("are you there?"), "Here I am.")

    def test_an_upstream_that_keeps_one_waiting(self):
        self.start([rule(turn("Here I am.", keep_alives=20, interval_ms=50))])
        self.assertEqual(self.claude("are you there?"), "Here I am.")


if __name__ == "__main__":
    unittest.main()
