import { type ReactNode, useState } from 'react';

/** Says that a mail was sent, with the same text whether the address has an account or not. */
export function Sent({ children }: { children: ReactNode }) {
  return (
    <div role="status" className="flex flex-col gap-3 rounded-lg border border-transparent bg-wash px-4 py-3 break-words">
      <p>{children}</p>
      <p className="text-sm text-quiet">No mail after a few minutes? Check your spam folder and the address.</p>
    </div>
  );
}

/** The address of the mail, after a form was sent. */
export function useSentTo(): [address: string | null, sent: (fields: FormData) => boolean] {
  const [address, setAddress] = useState<string | null>(null);
  const sent = (fields: FormData) => {
    setAddress(String(fields.get('email')));
    return false;
  };
  return [address, sent];
}
