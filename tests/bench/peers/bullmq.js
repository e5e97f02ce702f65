// SPDX-License-Identifier: MIT
// BullMQ as its guide sets it up, for tests/bench/compare.py: `fill N` adds N jobs, `work` sends their mails by
// nodemailer's pool. A worker prints "ready" and begins with the first line on its standard input.
"use strict";
const { readFileSync } = require("node:fs");
const { once } = require("node:events");
const { connect } = require("node:net");
const { Queue, Worker } = require("bullmq");
const nodemailer = require("nodemailer");

const env = process.env;
const connection = { host: "127.0.0.1", port: Number(env.BENCH_REDIS_PORT), maxRetriesPerRequest: null };
const mail = JSON.parse(readFileSync(env.BENCH_MAIL, "utf8"));
const connections = Number(env.BENCH_CONNECTIONS);
const AT_A_TIME = 500;

function job(i) {
  const customer = 1000 + (i % Number(env.BENCH_CUSTOMERS));
  const number = String(i).padStart(7, "0");
  return {
    name: "job.completed",
    data: {
      id: `e${number}`, type: "job.completed", job: `J${number}`, customer: String(customer), driver: "Sam",
      service: "Roll-off exchange", reference: "PO 12345", to: `c${customer}@example.com`,
    },
    opts: {
      attempts: 5, backoff: { type: "exponential", delay: 1000 },
      removeOnComplete: { count: 1000 }, removeOnFail: { count: 5000 },
    },
  };
}

async function fill(n) {
  const queue = new Queue("mail", { connection });
  for (let first = 0; first < n; first += AT_A_TIME) {
    const jobs = [];
    for (let i = first; i < Math.min(n, first + AT_A_TIME); i++) jobs.push(job(i));
    await queue.addBulk(jobs);
  }
  await queue.close();
}

// nodemailer leaves Nagle's algorithm on: on a fast network a mail then waits for the peer's delayed acknowledgment.
function withoutDelay({ host, port }, done) {
  const socket = connect({ host, port });
  socket.setNoDelay(true);
  socket.once("connect", () => done(null, { connection: socket }));
  socket.once("error", done);
}

async function work() {
  const transporter = nodemailer.createTransport({
    host: "127.0.0.1", port: Number(env.BENCH_SMTP_PORT), secure: false, ignoreTLS: true,
    pool: true, maxConnections: connections, ...(env.BENCH_NODELAY && { getSocket: withoutDelay }),
  });
  const send = ({ data }) => transporter.sendMail({
    from: mail.from, to: data.to, subject: mail.subject.replaceAll(mail.job, data.job),
    text: mail.text.replaceAll(mail.job, data.job), html: mail.html.replaceAll(mail.job, data.job),
  });
  const worker = new Worker("mail", async (found) => { await send(found); },
    { connection, concurrency: connections, autorun: false });
  worker.on("error", (error) => console.error(error));
  await worker.waitUntilReady();
  process.stdout.write("ready\n");
  await once(process.stdin, "data");
  worker.run();
  process.on("SIGTERM", () => process.exit(0));
}

const [, , what, n] = process.argv;
(what === "fill" ? fill(Number(n)) : work()).catch((error) => {
  console.error(error);
  process.exit(1);
});
