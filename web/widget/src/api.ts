// The HTTP side of a web chat channel. XMLHttpRequest, because fetch cannot tell how far an upload has come.
import type { Attachment, Config, Entry, Identity } from "./wire";

/** An answer that was not 2xx. Status 0: there was none. */
export interface Refused {
  status: number;
  code: string; // a word of the protocol's errors, or "size", "type", "other"
  after: number; // seconds to wait; 0 when the server did not say
}

export interface Visitor {
  visitor_token: string;
  visitor_id: string;
  config?: Config;
}

export class Api {
  constructor(
    private readonly base: string, // the channel's path, "/c/<channel id>"
    private readonly token: () => string | null,
  ) {}

  private call<T>(path: string, body?: FormData | object, progress?: (part: number) => void): Promise<T> {
    return new Promise((done, fail) => {
      const x = new XMLHttpRequest();
      x.open(body ? "POST" : "GET", this.base + path);
      x.responseType = "json";
      const token = this.token();
      if (token) x.setRequestHeader("Authorization", `Bearer ${token}`);
      if (progress) x.upload.onprogress = (e) => progress(e.loaded / e.total);
      else if (body) x.setRequestHeader("Content-Type", "application/json");
      x.onloadend = () =>
        x.status >= 200 && x.status < 300
          ? done(x.response)
          : fail({
              status: x.status,
              code: code(x.status, x.response?.code, !!progress),
              after: +(x.getResponseHeader("Retry-After") || 0),
            });
      x.send(progress ? (body as FormData) : body && JSON.stringify(body));
    });
  }

  config(): Promise<Config> {
    return this.call("/config");
  }

  visitor(who: Identity): Promise<Visitor> {
    return this.call("/visitors", who);
  }

  send(client_msg_id: string, text: string, attachments: string[]): Promise<{ id: string; seq: number }> {
    return this.call("/messages", { client_msg_id, text, attachments });
  }

  /** Events after a seq; waits up to wait seconds for the first. */
  events(after: number, wait: number): Promise<{ items: Entry[]; last: number }> {
    return this.call(`/events?after=${after}&wait=${wait}`);
  }

  read(seq: number): Promise<unknown> {
    return this.call("/read", { seq });
  }

  /** Uploads one file; progress is called with 0..1. */
  upload(file: File, progress: (part: number) => void): Promise<Attachment> {
    const form = new FormData();
    form.append("file", file, file.name);
    return this.call("/files", form, progress);
  }
}

/** What a refusal means. "unavailable" passes by itself: the message waits and is sent again. */
function code(status: number, said: string | undefined, file: boolean): string {
  if (status === 429) return "rate";
  if (!status || status >= 500 || /^token/.test(said || "")) return "unavailable";
  if (file) return status === 413 ? "size" : "type";
  return said || "other";
}
