/** Runs once, when the server starts. */
export async function register() {
  if (process.env.NEXT_RUNTIME === 'nodejs') {
    const { requireSettings } = await import('@/lib/env');
    requireSettings();
    const { guardRequests } = await import('@/lib/guard-requests');
    guardRequests();
    const { rememberSocketAddresses } = await import('@/lib/socket-address');
    rememberSocketAddresses();
  }
}
