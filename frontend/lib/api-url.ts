/** The URL of the task API, without a trailing slash. */
export const API_URL = (process.env.NEXT_PUBLIC_API_URL || 'http://127.0.0.1:9000').replace(/\/+$/, '');
