// The server's operations by the names the screens use. Paths, bodies and answers are checked against the server's own
// description: a change there that breaks a screen does not compile.
import { client, problem, take } from "./client";
import type * as m from "./model";
import type { components, paths } from "./schema.gen";

export * from "./client";
export type * from "./model";
export { PRIORITIES, VIEWS } from "./model";

type S = components["schemas"];
type Query<P extends keyof paths> = paths[P] extends { get: { parameters: { query?: infer Q } } }
  ? NonNullable<Q>
  : never;

const T = "/api/v1/tickets/{id}" as const;
const byId = (id: string) => ({ params: { path: { id } } });

export const session = {
  get: () => take(client.GET("/api/v1/session", {}), true),
  login: (email: string, password: string) => take(client.POST("/api/v1/session", { body: { email, password } }), true),
  logout: () => take(client.DELETE("/api/v1/session", {}), true),
  password: (old: string, next: string) =>
    take(client.POST("/api/v1/session/password", { body: { old, new: next } }), true),
  change: (body: S["ChangeMeBody"]) => take(client.PATCH("/api/v1/session", { body })),
  list: () => take(client.GET("/api/v1/sessions", {})),
  revoke: (id: string) => take(client.DELETE("/api/v1/sessions/{id}", byId(id))),
};

export const tokens = {
  list: () => take(client.GET("/api/v1/tokens", {})),
  add: (name: string) => take(client.POST("/api/v1/tokens", { body: { name } })),
  revoke: (id: string) => take(client.DELETE("/api/v1/tokens/{id}", byId(id))),
};

export type TicketQuery = Query<"/api/v1/tickets">;
export type TicketChange = S["ChangeTicket"];

export const tickets = {
  list: (query: TicketQuery) => take(client.GET("/api/v1/tickets", { params: { query } })),
  counts: () => take(client.GET("/api/v1/tickets/counts", {})),
  get: (id: string) => take(client.GET(T, byId(id))),
  change: (id: string, body: TicketChange) => take(client.PATCH(T, { ...byId(id), body })),
  messages: (id: string, query: { after?: number; before?: number; limit?: number }) =>
    take(client.GET(`${T}/messages`, { params: { path: { id }, query } })),
  start: (body: S["StartTicket"]) => take(client.POST("/api/v1/tickets", { body })),
  startable: () => take(client.GET("/api/v1/channels/startable", {})),
  callback: (id: string, body: S["SetCallback"]) => take(client.POST(`${T}/callback`, { ...byId(id), body })),
  reply: (id: string, body: S["WriteReply"]) => take(client.POST(`${T}/replies`, { ...byId(id), body })),
  note: (id: string, body: S["WriteNote"]) => take(client.POST(`${T}/notes`, { ...byId(id), body })),
  claim: (id: string) => take(client.POST(`${T}/claim`, byId(id))),
  transfer: (id: string, body: S["TransferTicket"]) => take(client.POST(`${T}/transfer`, { ...byId(id), body })),
  resolve: (id: string, reason?: string) => take(client.POST(`${T}/resolve`, { ...byId(id), body: { reason } })),
  close: (id: string, reason?: string) => take(client.POST(`${T}/close`, { ...byId(id), body: { reason } })),
  reopen: (id: string, reason: string) => take(client.POST(`${T}/reopen`, { ...byId(id), body: { reason } })),
  merge: (id: string, into: string) => take(client.POST(`${T}/merge`, { ...byId(id), body: { into } })),
  split: (id: string, message_id: string) => take(client.POST(`${T}/split`, { ...byId(id), body: { message_id } })),
  decisions: (id: string) => take(client.GET(`${T}/decisions`, byId(id))),
  read: (id: string, seq: number) => take(client.POST(`${T}/read`, { ...byId(id), body: { seq } })),
  retry: (message: string) => take(client.POST("/api/v1/messages/{id}/retry", byId(message))),
};

export const calls = {
  list: () => take(client.GET("/api/v1/calls", {})),
};

export const contacts = {
  list: (q: string, cursor = "") => take(client.GET("/api/v1/contacts", { params: { query: { q, cursor } } })),
  get: (id: string) => take(client.GET("/api/v1/contacts/{id}", byId(id))),
  change: (id: string, body: S["ChangeContactBody"]) =>
    take(client.PATCH("/api/v1/contacts/{id}", { ...byId(id), body })),
  tickets: (id: string) => take(client.GET("/api/v1/contacts/{id}/tickets", byId(id))),
};

export const people = {
  agents: () => take(client.GET("/api/v1/agents", {})),
  addAgent: (body: S["CreateAgentBody"]) => take(client.POST("/api/v1/agents", { body })),
  changeAgent: (id: string, body: S["ChangeAgentBody"]) =>
    take(client.PATCH("/api/v1/agents/{id}", { ...byId(id), body })),
  teams: () => take(client.GET("/api/v1/teams", {})),
  addTeam: (body: S["TeamBody"]) => take(client.POST("/api/v1/teams", { body })),
  changeTeam: (id: string, body: S["TeamBody"]) => take(client.PATCH("/api/v1/teams/{id}", { ...byId(id), body })),
  removeTeam: (id: string) => take(client.DELETE("/api/v1/teams/{id}", byId(id))),
  presence: () => take(client.GET("/api/v1/presence", {})),
};

export const rules = {
  list: () => take(client.GET("/api/v1/rules", {})),
  add: (body: m.RuleDraft) => take(client.POST("/api/v1/rules", { body })),
  change: (id: string, body: m.RuleDraft) => take(client.PATCH("/api/v1/rules/{id}", { ...byId(id), body })),
  remove: (id: string) => take(client.DELETE("/api/v1/rules/{id}", byId(id))),
  dryRun: (rule: m.RuleDraft) => take(client.POST("/api/v1/rules/dry-run", { body: { rule, limit: 200 } })),
};

export const channels = {
  kinds: () => take(client.GET("/api/v1/kinds", {})),
  list: () => take(client.GET("/api/v1/channels", {})),
  get: (id: string) => take(client.GET("/api/v1/channels/{id}", byId(id))),
  add: (body: S["CreateChannelBody"]) => take(client.POST("/api/v1/channels", { body })),
  change: (id: string, body: S["ChangeChannelBody"]) =>
    take(client.PATCH("/api/v1/channels/{id}", { ...byId(id), body })),
  test: (id: string) => take(client.POST("/api/v1/channels/{id}/test", byId(id))),
  log: (id: string) => take(client.GET("/api/v1/channels/{id}/log", byId(id))),
  consent: (id: string) => take(client.POST("/api/v1/channels/{id}/consent", byId(id))),
  try: (kind: string, body: S["Sample"]) =>
    take(client.POST("/api/v1/kinds/{kind}/try", { params: { path: { kind } }, body })),
};

export type IntakeQuery = Query<"/api/v1/intake">;

export const intake = {
  list: (query: IntakeQuery) => take(client.GET("/api/v1/intake", { params: { query } })),
  get: (id: string) => take(client.GET("/api/v1/intake/{id}", byId(id))),
  process: (id: string) => take(client.POST("/api/v1/intake/{id}/process", byId(id))),
  counts: () => take(client.GET("/api/v1/intake/counts", {})),
};

/** Uploads one file and reports progress from 0 to 1. XMLHttpRequest, since fetch tells no upload progress. */
export function upload(file: File, progress: (share: number) => void, signal?: AbortSignal): Promise<m.Attachment> {
  return new Promise((resolve, reject) => {
    const x = new XMLHttpRequest();
    x.open("POST", "/api/v1/uploads");
    x.responseType = "json";
    x.upload.onprogress = (e) => e.lengthComputable && progress(e.loaded / e.total);
    x.onload = () => (x.status < 300 ? resolve(x.response) : reject(problem(x.status, x.response)));
    x.onerror = () => reject(problem(0, { detail: "offline", code: "offline" }));
    x.onabort = () => reject(problem(0, { detail: "aborted", code: "aborted" }));
    signal?.addEventListener("abort", () => x.abort());
    const form = new FormData();
    form.append("file", file);
    x.send(form);
  });
}
