import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect } from '@playwright/test';
import { SMTPServer } from 'smtp-server';

export interface Mail {
  from: string;
  to: string[];
  subject: string;
  text: string;
}

/** A mail server on loopback that keeps its mails. */
export class MailServer {
  readonly mails: Mail[] = [];
  /** Whether it never confirms a mail. */
  isSilent = false;
  #server: SMTPServer | undefined;

  /** Listens; returns the settings for the app. */
  async start(): Promise<{ SMTP_URL: string; MAIL_FROM: string }> {
    // A new one each time: Playwright may run a file's tests in several rounds, and one that was closed stays closed.
    this.#server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['AUTH', 'STARTTLS'],
      onData: (stream, session, done) => {
        let raw = '';
        stream.setEncoding('utf8').on('data', (chunk: string) => (raw += chunk));
        stream.on('end', () => {
          const { mailFrom, rcptTo } = session.envelope;
          this.mails.push({ from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address), ...read(raw) });
          if (!this.isSilent) {
            done();
          }
        });
      },
    });
    const listener = this.#server.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return { SMTP_URL: `smtp://127.0.0.1:${(listener.address() as AddressInfo).port}`, MAIL_FROM: 'Tasks <tasks@app.example>' };
  }

  async stop() {
    await new Promise<void>((resolve) => this.#server?.close(resolve));
  }

  to = (address: string) => this.mails.filter(({ to }) => to.includes(address));

  /** The newest mail to an address; fails unless there are this many. */
  async newest(address: string, count = 1): Promise<Mail> {
    await expect.poll(() => this.to(address).length).toBe(count);
    const mail = this.to(address).at(-1);
    if (!mail) {
      throw new Error('no mail');
    }
    return mail;
  }
}

/** Subject and text of a single-part mail. */
function read(raw: string): Pick<Mail, 'subject' | 'text'> {
  const [head = '', ...body] = raw.split('\r\n\r\n');
  const text = body.join('\n\n');
  const quoted = /^content-transfer-encoding: quoted-printable/im.test(head);
  return {
    subject: /^subject: (.*)$/im.exec(head)?.[1] ?? '',
    text: quoted ? text.replace(/=\r?\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))) : text,
  };
}

/** The link in a mail. */
export const linkIn = ({ text }: Mail) => /https?:\/\/\S+\/(reset-password|api\/auth\/verify-email)\S+/.exec(text)?.[0] ?? '';
