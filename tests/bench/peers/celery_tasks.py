# SPDX-License-Identifier: MIT
"""Celery as its guides set it up, for tests/bench/compare.py: short tasks, acknowledged when they are done, with a
connection that each worker keeps (the guide on tasks: "instantiation")."""
import json
import os
import smtplib
from email.message import EmailMessage

from celery import Celery, Task

app = Celery("celery_tasks", broker=os.environ["BENCH_REDIS"])
app.conf.update(task_default_queue="mail", task_ignore_result=True, task_acks_late=True,
                worker_prefetch_multiplier=64)  # the guide on optimizing, for short tasks

with open(os.environ["BENCH_MAIL"], encoding="utf-8") as file:
    MAIL = json.load(file)


class MailTask(Task):
    _server = None

    @property
    def server(self):
        if self._server is None:
            self._server = smtplib.SMTP("127.0.0.1", int(os.environ["BENCH_SMTP_PORT"]), timeout=60)
        return self._server

    def drop(self):
        self._server = None


@app.task(base=MailTask, bind=True, autoretry_for=(OSError,), retry_backoff=True, max_retries=5)
def send_mail(self, event, to):
    def filled(text):
        return text.replace(MAIL["job"], event["job"])
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = MAIL["from"], to, filled(MAIL["subject"])
    message.set_content(filled(MAIL["text"]))
    message.add_alternative(filled(MAIL["html"]), subtype="html")
    try:
        self.server.send_message(message)
    except OSError:  # smtplib's faults, too
        self.drop()
        raise
