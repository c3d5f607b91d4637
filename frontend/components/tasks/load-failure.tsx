import type { ApiError } from '@/lib/api-error';

interface Props {
  failure: ApiError;
  onRetry: () => void;
}

export function LoadFailure({ failure, onRetry }: Props) {
  const otherUser = failure.code === 'wrong_user';
  return (
    <div role="alert" className="rounded-2xl border border-line bg-card px-6 py-12 text-center">
      <p className="font-serif text-xl font-semibold">Your tasks could not be loaded</p>
      <p className="mt-1.5 mb-6 text-quiet">
        {otherUser ? 'Somebody else has signed in on this browser.' : failure.detail}
      </p>
      <button type="button" className="button-primary" onClick={otherUser ? () => window.location.reload() : onRetry}>
        {otherUser ? 'Reload' : 'Try again'}
      </button>
    </div>
  );
}
