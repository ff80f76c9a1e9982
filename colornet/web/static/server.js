// What the page asks of its server.

export class ServerError extends Error {
  constructor(message, status, seconds) {
    super(message);
    this.status = status;
    this.seconds = seconds; // after which to try again, if it is busy
  }
}

async function ask(url, options) {
  let answer;
  try {
    answer = await fetch(url, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ServerError('The server does not answer.', 0);
  }
  if (answer.ok) return answer;
  const text = await answer.json().then(
    (json) => json.error, () => answer.statusText);
  throw new ServerError(text, answer.status,
    Number(answer.headers.get('Retry-After')));
}

// Options are [name, value] pairs.
function form(file, options = []) {
  const data = new FormData();
  data.append('file', file);
  for (const [name, value] of options) data.append(name, value);
  return data;
}

// Calls a function again as long as the server is busy.
async function patiently(call, onBusy) {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (error.status !== 503) throw error;
      onBusy(error.seconds);
      await new Promise((go) => setTimeout(go, 1000 * error.seconds));
    }
  }
}

export const readOptions = async () => (await ask('api/options')).json();

// Lets the network look at a photo; its key, sizes and notes.
export const look = (file, onBusy) => patiently(
  async () => (await ask('api/photos',
    { method: 'POST', body: form(file) })).json(), onBusy);

export const before = async (key) => (
  await ask(`api/photos/${key}/before`)).blob();

export const after = async (key, options, signal) => (
  await ask(`api/photos/${key}/after?${new URLSearchParams(options)}`,
    { signal })).blob();

// The coloured photo in full size, and what of it could not be kept.
export const colorize = (file, options, onBusy) => patiently(async () => {
  const answer = await ask('api/colorize',
    { method: 'POST', body: form(file, options) });
  const note = answer.headers.get('Colornet-Note') || '';
  return { content: await answer.blob(), note: decodeURIComponent(note) };
}, onBusy);
