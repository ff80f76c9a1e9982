// What the page asks of its server.

export class ServerError extends Error {
  constructor(message, status, seconds) {
    super(message);
    this.status = status;
    this.seconds = seconds; // after which to try again, if it is busy
    // Whether the same may work later.
    this.passes = status === 0 || status >= 500;
  }
}

async function ask(url, options) {
  let answer;
  try {
    answer = await fetch(url, options);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ServerError('The server does not answer. Is “colornet serve” ' +
      'still running?', 0);
  }
  if (answer.ok) return answer;
  const text = await answer.json().then((json) => json.error,
    () => `The server answers ${answer.status} ${answer.statusText}`);
  throw new ServerError(text, answer.status,
    Number(answer.headers.get('Retry-After')) || 1);
}

// A file that was moved or changed meanwhile cannot be sent, either.
async function send(url, file, options, signal) {
  try {
    return await ask(url, { method: 'POST', body: form(file, options),
      signal });
  } catch (error) {
    if (error.status === 0) {
      // All of it: of a part, Chromium does not say so.
      await file.arrayBuffer().catch(() => {
        throw new Error('The file cannot be read any more. Choose it again.');
      });
    }
    throw error;
  }
}

// Options are [name, value] pairs.
function form(file, options = []) {
  const data = new FormData();
  data.append('file', file);
  for (const [name, value] of options) data.append(name, value);
  return data;
}

// Calls a function again as long as the server is busy.
async function patiently(call, onBusy, signal) {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (error.status !== 503) throw error;
      onBusy(error.seconds);
      await new Promise((go) => setTimeout(go, 1000 * error.seconds));
      signal.throwIfAborted();
    }
  }
}

export const readOptions = async () => (await ask('api/options')).json();

// Lets the network look at a photo; its key, sizes and notes.
export const look = (file, options, onBusy, signal) => patiently(
  async () => (await send('api/photos', file, options, signal)).json(),
  onBusy, signal);

// Pictures of a kept photo for the screen.
const picture = (url, onBusy, signal) => patiently(
  async () => (await ask(url, { signal })).blob(), onBusy, signal);

export const before = (key, onBusy, signal) => picture(
  `api/photos/${key}/before`, onBusy, signal);

export const after = (key, options, onBusy, signal) => picture(
  `api/photos/${key}/after?${new URLSearchParams(options)}`, onBusy, signal);

// The name of an answer's file.
function nameOf(answer) {
  const text = answer.headers.get('Content-Disposition');
  const encoded = /filename\*=UTF-8''([^;]+)/.exec(text);
  if (encoded) return decodeURIComponent(encoded[1]);
  const [, quoted, plain] =
    /filename=(?:"((?:\\.|[^"\\])*)"|([^;]+))/.exec(text);
  return plain || quoted.replace(/\\(.)/g, '$1');
}

// The coloured photo in full size, and what of it could not be kept.
export const colorize = (file, options, onBusy, signal) => patiently(
  async () => {
    const answer = await send('api/colorize', file, options, signal);
    const note = answer.headers.get('Colornet-Note') || '';
    return { content: await answer.blob(), name: nameOf(answer),
      note: decodeURIComponent(note) };
  }, onBusy, signal);

// A film that is sent: its key, and how far it is.
export const addFilm = (file, options, onBusy, signal) => patiently(
  async () => (await send('api/films', file, options, signal)).json(),
  onBusy, signal);

export const film = async (key, signal) => (
  await ask(`api/films/${key}`, { signal })).json();

export async function coloured(key, signal) {
  const answer = await ask(`api/films/${key}/coloured`, { signal });
  return { content: await answer.blob(), name: nameOf(answer) };
}

// Also while the page is left.
export const forget = (key) => fetch(`api/films/${key}`,
  { method: 'DELETE', keepalive: true }).catch(() => {});
