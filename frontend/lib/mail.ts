import 'server-only';
import { after } from 'next/server';
import { createTransport } from 'nodemailer';
import { env } from '@/lib/env';
import { log } from '@/lib/log';
import { smtpOptions } from '@/lib/smtp';

export interface Mail {
  to: string;
  subject: string;
  text: string;
}

const transport = env.smtpURL ? createTransport(smtpOptions(env.smtpURL)) : null;
const onTerminal = !transport && process.env.NODE_ENV === 'development';

/** Whether mails can be sent or, in development, printed on the terminal. */
export const mailIsOffered = transport !== null || onTerminal;

/** Sends a mail after the current request is answered, so that the duration does not reveal whether there was one. */
export function sendLater(mail: Mail) {
  after(async () => {
    if (onTerminal) {
      console.info(`There is no SMTP_URL, so this mail is shown here.\nTo: ${mail.to}\nSubject: ${mail.subject}\n\n${mail.text}`);
      return;
    }
    // The error may quote the mail, whose link is secret, so only its name and code are logged.
    await transport
      ?.sendMail({ ...mail, from: env.mailFrom, to: { name: '', address: mail.to }, disableFileAccess: true, disableUrlAccess: true })
      .catch((error: unknown) => log('error', 'A mail was not sent', error));
  });
}
