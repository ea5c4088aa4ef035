#!/usr/bin/env python3
"""Notifications to receivers that others wrote: Debian's Alertmanager, and a mail server with and without TLS."""
import asyncio
import email
import email.policy
import os
import re
import ssl
import subprocess
import threading

from aiosmtpd.smtp import SMTP

import harness
from receivers import ChannelTest


class Alertmanager:
    """A real one, which tells what it is told to a webhook of ours."""
    CONFIG = """
route: {receiver: back, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers:
  - name: back
    webhook_configs: [{url: '%s', send_resolved: true}]
"""

    def __init__(self, folder, webhook):
        config = os.path.join(folder, "alertmanager.yml")
        with open(config, "w") as file:
            file.write(self.CONFIG % webhook)
        self.process = subprocess.Popen(
            ["prometheus-alertmanager", "--config.file=" + config, "--storage.path=" + os.path.join(folder, "data"),
             "--web.listen-address=127.0.0.1:0", "--cluster.listen-address="], stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            found = re.search(r'address=(127\.0\.0\.1:[1-9]\d*)', line)
            if found:
                self.url = "http://" + found.group(1)
                break
        else:
            raise AssertionError("alertmanager did not start")
        self.drain = threading.Thread(target=self.process.stderr.read, daemon=True)
        self.drain.start()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.drain.join()
        self.process.stderr.close()


class MailServer:
    def __init__(self, **options):
        self.mails = []
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()

        async def serve():
            self.server = await self.loop.create_server(lambda: SMTP(self, loop=self.loop, **options), "127.0.0.1", 0)
            self.port = self.server.sockets[0].getsockname()[1]
            ready.set()

        def run():
            asyncio.set_event_loop(self.loop)
            self.loop.run_until_complete(serve())
            self.loop.run_forever()
        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        ready.wait(harness.PATIENCE)
        self.url = "smtp://127.0.0.1:%d" % self.port

    async def handle_DATA(self, server, session, envelope):
        if any(address.startswith("nobody") for address in envelope.rcpt_tos):
            return "550 no such user"
        self.mails.append((envelope, session))
        return "250 OK"

    def next(self):
        envelope, session = harness.wait_for(lambda: self.mails, "a mail").pop(0)
        return envelope, email.message_from_bytes(envelope.content, policy=email.policy.default), session

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(harness.PATIENCE)


def certificate(folder):
    """A certificate that signs itself, for 127.0.0.1."""
    key, cert = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-keyout", key, "-out", cert, "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, stderr=subprocess.DEVNULL)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return cert, context


class RealAlertmanager(ChannelTest):
    def test_alerts_arrive_and_resolve(self):
        back = self.receiver()
        manager = Alertmanager(self.folder, back.url)
        self.addCleanup(manager.close)
        self.begin({"am": "type: alertmanager, url: '%s', allow_private: true" % manager.url})
        alert = self.fire("am", host="a", **{"zone-é": "eu"})
        self.fire("am", host="b")
        hosts = set()
        while hosts != {"a", "b"}:
            body = back.next().json
            self.assertEqual(body["status"], "firing")
            hosts = {a["labels"]["host"] for a in body["alerts"]}
        self.broker.get("alert.resolve", alert=alert)
        while True:
            states = {a["labels"]["host"]: a["status"] for a in back.next().json["alerts"]}
            if states.get("a") == "resolved":
                break
        self.assertEqual(states["b"], "firing")


class RealMail(ChannelTest):
    CHANNEL = "type: email, url: '%s', from: tocsin@example.org, to: [%s], allow_private: true, tls: %s"

    def serve(self, **options):
        server = MailServer(**options)
        self.addCleanup(server.close)
        return server

    def test_a_mail_says_it_in_text_and_html(self):
        server = self.serve()
        self.begin({"mail": self.CHANNEL % (server.url, "a@example.org, b@example.org", "never") + ", title: '${alertname}: ${labels.ort}'"})
        self.fire("mail", ort="Köln <b>")
        envelope, mail, _ = server.next()
        self.assertEqual((envelope.mail_from, envelope.rcpt_tos), ("tocsin@example.org", ["a@example.org", "b@example.org"]))
        self.assertEqual(mail["Subject"], "mail: Köln <b>")
        self.assertEqual(mail["From"].addresses[0].addr_spec, "tocsin@example.org")
        self.assertEqual(len(mail["To"].addresses), 2)
        self.assertRegex(mail["Message-ID"], "^<[0-9a-f]{32}@tocsin>$")
        self.assertIn("ort=Köln <b>", mail.get_body(("plain",)).get_content())
        self.assertIn("ort=Köln &lt;b&gt;", mail.get_body(("html",)).get_content())

    def test_a_recipient_that_is_not_there_is_a_dead_letter(self):
        server = self.serve()
        self.begin({"mail": self.CHANNEL % (server.url, "nobody@example.org", "never")})
        self.fire("mail")
        self.assertEqual(self.wait_letters(1)[0]["channel"], "mail")

    def test_starttls_or_nothing(self):
        cert, context = certificate(self.folder)
        secret = self.serve(tls_context=context, require_starttls=True)
        plain = self.serve()
        to = "a@example.org"
        self.begin({"trusted": self.CHANNEL % (secret.url, to, "starttls") + ", ca_file: '%s'" % cert,
                    "stranger": self.CHANNEL % (secret.url, to, "starttls"),
                    "plain": self.CHANNEL % (plain.url, to, "starttls")})
        self.assertTrue(self.broker.get("channel.test", name="trusted")["delivered"])
        self.assertIsNotNone(secret.next()[2].ssl)
        for name in ("stranger", "plain"):
            self.assertFalse(self.broker.get("channel.test", name=name)["delivered"], name)
        self.assertEqual((secret.mails, plain.mails), ([], []))


if __name__ == "__main__":
    harness.main()
