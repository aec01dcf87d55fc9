// The words of the API as the console uses them. docs: /openapi.json.

export type Status = "new" | "open" | "waiting" | "resolved" | "closed" | "archived";
export type Priority = "normal" | "urgent" | "critical";
export type View = "mine" | "queue" | "waiting" | "overdue" | "open" | "resolved" | "all";
export type Role = "admin" | "supervisor" | "agent";
export type Availability = "available" | "busy" | "away";
export type DeliveryState = "queued" | "sending" | "sent" | "delivered" | "read" | "failed" | "uncertain" | "held";

export const VIEWS: View[] = ["mine", "queue", "waiting", "overdue", "open", "resolved", "all"];
export const PRIORITIES: Priority[] = ["normal", "urgent", "critical"];

export interface Ref {
  id: string;
  name: string;
}

export interface Page<T> {
  items: T[];
  next: string;
}

export interface Capabilities {
  max_text: number; // bytes of UTF-8, 0: no limit
  max_parts: number;
  html: boolean;
  attachments: string[] | null;
  max_attachment: number;
  quota: number;
  resendable: boolean;
  delivered_known: boolean;
  read_known: boolean;
  typing: boolean;
}

export interface ReplyWay {
  channel_kind: string;
  window_closes_at: string | null;
  remaining: number; // -1: no limit
  capabilities?: Capabilities | null;
}

export interface Ticket {
  id: string;
  number: string;
  status: Status;
  priority: Priority;
  subject: string;
  channel: Ref & { kind: string };
  contact: Ref & { level: string };
  assignee: Ref | null;
  team: Ref | null;
  tags: string[] | null;
  fields: Record<string, string> | null;
  version: number;
  created_at: string;
  updated_at: string;
  first_reply_at: string | null;
  first_response_due_at: string | null;
  resolution_due_at: string | null;
  last_message: { text: string; by: string; at: string | null } | null;
  unread: boolean;
  snoozed_until: string | null;
  linked_ticket: { id: string; number: string } | null;
  reply: ReplyWay;
}

export interface Author {
  kind: string; // contact, agent, bot, system
  id: string;
  name: string;
}

export interface Attachment {
  id: string;
  name: string;
  type: string;
  size: number;
  url: string;
  inline?: boolean;
  content_id?: string;
  state?: string; // stored, pending, failed
  hint?: string;
}

export interface Delivery {
  state: DeliveryState;
  hint: string;
  code?: string;
  attempts: number;
  next_at?: string | null;
}

export interface Call {
  state: string;
  direction: string;
  from: string;
  to: string;
  queue?: string;
  agent?: string;
  outcome?: string;
  cause?: string;
  started_at: string | null;
  answered_at: string | null;
  ended_at: string | null;
  notes?: string[] | null;
}

export interface SystemEvent {
  type: string;
  actor: Author;
  reason?: string;
  data?: Record<string, string> | null;
}

export interface Message {
  id: string;
  seq: number;
  direction: "in" | "out" | "note" | "system";
  author: Author;
  text: string;
  html?: string;
  quoted?: string;
  class?: string;
  event?: SystemEvent | null;
  call?: Call | null;
  attachments: Attachment[] | null;
  repairs?: string[] | null;
  created_at: string;
  delivery: Delivery | null;
}

export interface Agent {
  id: string;
  email: string;
  name: string;
  role: Role;
  teams: string[] | null;
  skills: string[] | null;
  capacity: number;
  availability?: Availability;
  language?: string;
  disabled?: boolean;
  bot?: boolean;
}

/** The one who is signed in. */
export interface Me extends Omit<Agent, "teams"> {
  teams: Ref[] | null;
}

export interface Session {
  agent: Me;
  permissions: string[] | null;
  build: string;
  must_change_password?: boolean;
  teams?: Ref[] | null;
  channels?: (Ref & { kind: string })[] | null;
  config?: SessionConfig;
}

export interface SessionConfig {
  public_url: string;
  max_text: number; // characters of a reply or note
  max_upload: number; // bytes of one file
  upload_types: string[] | null;
  first_response: number; // seconds, 0: no promise
}

export interface Presence {
  agent_id: string;
  name?: string;
  online: boolean;
  availability: Availability;
  used: number;
  capacity: number;
}

export type Counts = Record<View, number>;

export interface Identity {
  type: string;
  value: string;
  verified: boolean;
  scope?: string;
}

export interface Contact {
  id: string;
  name: string;
  level: string;
  language: string;
  company: string;
  note: string;
  fields: Record<string, string> | null;
  identities: Identity[] | null;
  created_at: string;
  updated_at: string;
}

export interface Decision {
  id: string;
  kind: string;
  at: string;
  detail: unknown;
}

export interface Team {
  id: string;
  name: string;
}

export interface Rule {
  id: string;
  name: string;
  position: number;
  enabled: boolean;
  all: string[] | null;
  any: string[] | null;
  not: string[] | null;
  channels: string[] | null;
  team_id: string;
  priority: string;
  tags: string[] | null;
  version: number;
}

export interface RuleEffect {
  team: Ref | null;
  priority: string;
  tags: string[] | null;
}

export interface DryRun {
  checked: number;
  matched: number;
  items:
    | {
        ticket: { id: string; number: string; subject: string };
        text: string; // what was classified
        matched_words: { word: string; start: number; end: number; text: string; rule: string }[] | null; // UTF-16 offsets in text
        before: RuleEffect;
        after: RuleEffect;
      }[]
    | null;
}

export interface KindField {
  name: string;
  type: string;
  label: { zh: string; en: string };
  help: { zh: string; en: string };
  secret: boolean;
  required: boolean;
  default: string;
  pattern?: string;
  options?: { value: string; label: { zh: string; en: string } }[] | null;
  max_len?: number;
}

export interface Kind {
  name: string;
  title: { zh: string; en: string };
  fields: KindField[] | null;
}

export interface Channel {
  id: string;
  kind: string;
  name: string;
  enabled: boolean;
  team_id: string;
  settings: Record<string, string> | null;
  secrets: Record<string, string> | null;
  url: string;
  made?: Record<string, string> | null; // secrets made by the desk, shown once
  embed?: string;
  version?: number;
  health?: {
    state: "ok" | "warning" | "error" | "off";
    last_success_at: string | null;
    last_failure_at: string | null;
    last_error: string;
    held: boolean;
    waiting: number;
  };
  created_at: string;
}

export interface LedgerEntry {
  id: string;
  channel: Ref & { kind: string };
  type: string;
  external_id: string;
  sender: string;
  received_at: string;
  state: string;
  outcome: string;
  reason: string;
  ticket: { id: string; number: string } | null;
  attempts: number;
}

export interface LedgerOriginal {
  arrival: LedgerEntry;
  meta: Record<string, string> | null;
  raw: string;
  size: number;
  truncated: boolean;
}

export interface LoginSession {
  id: string;
  user_agent: string;
  address: string;
  created_at: string;
  seen_at: string;
  current: boolean;
}

export interface ApiToken {
  id: string;
  name: string;
  last_four?: string;
  created_at: string;
  used_at: string | null;
  token?: string;
}
