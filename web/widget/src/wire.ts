// The shapes of the web chat protocol (docs/websocket.md, second half).

export interface Attachment {
  id: string;
  name: string;
  type: string;
  size: number;
  url: string;
}

export interface Entry {
  seq: number;
  id: string;
  from: "visitor" | "agent" | "bot" | "system";
  name?: string;
  text: string;
  client_msg_id?: string;
  attachments?: Attachment[] | null;
  at: string;
}

export interface Config {
  title?: string;
  greeting?: string;
  color?: string;
  locale?: string;
  hours?: string;
  online?: boolean;
  max_text?: number;
  max_file?: number;
}

export type Frame =
  | { type: "welcome"; last: number; agent_online?: boolean; config?: Config; visitor_token?: string }
  | { type: "event"; seq: number; event: Entry }
  | { type: "ack"; client_msg_id: string; id: string; seq: number }
  | { type: "typing"; on: boolean; name?: string }
  | { type: "error"; code: string; client_msg_id?: string; detail?: string; retry_after?: number }
  | { type: "resync" }
  | { type: "pong" };

/** Who the page says the visitor is; passed on as it is, the server checks it. */
export interface Identity {
  name?: string;
  email?: string;
  phone?: string;
  identity_token?: string;
  identifier?: string;
  identifier_hash?: string;
}
