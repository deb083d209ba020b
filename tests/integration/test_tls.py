"""An upstream behind TLS: verified always, and nothing is sent to one that cannot prove who it is."""

import os
import shutil
import ssl
import subprocess
import tempfile
import unittest

from gateway import Gateway, to_upstream
from raw_http import chat
from upstream import Upstream, answer_well


class SecureUpstream(Upstream):
    def __init__(self, certificate, key):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.names = []
        self.context.sni_callback = lambda _, name, __: self.names.append(name)
        super().__init__(answer_well)

    def _serve(self, link):
        try:
            link.socket = self.context.wrap_socket(link.socket, server_side=True)
        except OSError:
            link.socket.close()
            return
        super()._serve(link)


@unittest.skipUnless(shutil.which("openssl"), "openssl makes the certificates")
class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="sluice-test-")
        cls.files = {
            name: cls.certificate(name, names, days)
            for name, names, days in (("good", "DNS:localhost,IP:127.0.0.1", 2), ("other", "DNS:other.test", 2),
                                      ("expired", "DNS:localhost", -1))
        }

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    @classmethod
    def certificate(cls, name, names, days):
        """Signed by itself, and good until so many days from now."""
        base = os.path.join(cls.directory.name, name)
        certificate, key, request, extensions = (base + end for end in (".crt", ".key", ".csr", ".ext"))
        with open(extensions, "w", encoding="ascii") as file:
            file.write("subjectAltName=" + names)
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key]
        for command in (["req", *new_key, "-out", request, "-subj", "/CN=" + name],
                        ["x509", "-req", "-in", request, "-signkey", key, "-out", certificate, "-days", str(days),
                         "-extfile", extensions]):
            subprocess.run(["openssl", *command], capture_output=True, check=True)
        return certificate, key

    def ask(self, served, trusted, host="localhost", streams=(False, True)):
        with SecureUpstream(*self.files[served]) as upstream:
            config = to_upstream(upstream.port)
            config["upstreams"]["main"]["base_url"] = f"https://{host}:{upstream.port}/v1"
            if trusted:
                config["upstreams"]["main"]["ca_file"] = self.files[trusted][0]
            with Gateway(config) as gateway:
                replies = [gateway.chat(chat(stream=stream)) for stream in streams]
            return replies, upstream

    def check_refused(self, served, trusted, host="localhost"):
        replies, upstream = self.ask(served, trusted, host)
        for reply in replies:
            self.assertEqual((reply.status, reply.error["code"]), (502, "upstream_unreachable"), reply)
            self.assertNotIn(b"sk-of-the-upstream", reply.body)
        self.assertEqual(upstream.requests, [])

    def test_a_trusted_upstream_answers_and_is_told_its_name(self):
        replies, upstream = self.ask("good", "good")
        self.assertEqual([reply.status for reply in replies], [200, 200])
        self.assertEqual(replies[1].events()[-1], "[DONE]")
        self.assertEqual(set(upstream.names), {"localhost"})
        self.assertEqual(upstream.requests[0].all("host"), [f"localhost:{upstream.port}"])

    def test_an_address_is_verified_too(self):
        self.assertEqual([reply.status for reply in self.ask("good", "good", "127.0.0.1")[0]], [200, 200])

    def test_a_self_signed_certificate_is_refused(self):
        self.check_refused("good", None)
        self.check_refused("good", "other")

    def test_a_certificate_for_another_name_is_refused(self):
        self.check_refused("other", "other")
        self.check_refused("other", "other", "127.0.0.1")

    def test_an_expired_certificate_is_refused(self):
        self.check_refused("expired", "expired")

    def test_an_upstream_without_tls_is_refused(self):
        with Upstream() as upstream:
            config = to_upstream(upstream.port)
            config["upstreams"]["main"]["base_url"] = f"https://127.0.0.1:{upstream.port}/v1"
            config["upstreams"]["main"]["timeouts"] = {"connect": "500ms"}
            with Gateway(config) as gateway:
                self.assertIn(gateway.chat().status, (502, 504))
            self.assertEqual(upstream.requests, [])

    def test_a_ca_file_that_cannot_be_read_is_refused_at_start(self):
        config = to_upstream(9)
        config["upstreams"]["main"].update(base_url="https://127.0.0.1:9/v1", ca_file="/nowhere.pem")
        with self.assertRaises(AssertionError) as refused:
            Gateway(config)
        self.assertIn("/nowhere.pem", str(refused.exception))


if __name__ == "__main__":
    unittest.main()
