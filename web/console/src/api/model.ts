// The words of the API as the console uses them, from the server's own description (schema.gen.ts).
import type { components } from "./schema.gen";

type S = components["schemas"];

export type Ticket = S["Ticket"];
export type Status = Ticket["status"];
export type Priority = Ticket["priority"];
export type ReplyWay = S["ReplyLimits"];
export type Capabilities = S["Capabilities"];
export type Counts = S["Counts"];
export type View = keyof Counts;
export type Message = S["Message"];
export type Author = S["Author"];
export type Attachment = S["Attachment"];
export type Delivery = S["Delivery"];
export type DeliveryState = Delivery["state"];
export type Call = S["Call"];
export type LiveCall = S["LiveCall"];
export type Headers = S["Headers"];
export type Route = S["Route"];
export type Callback = S["Callback"];
export type Startable = S["Startable"];
export type SystemEvent = S["Event"];
export type Decision = S["Decision"];
export type Me = S["Me"];
export type Role = Me["role"];
export type Availability = Me["availability"];
export type Session = S["Session"];
export type Presence = S["Presence"];
export type Contact = S["Contact"];
export type Agent = S["Agent"];
export type Team = S["Team"];
export type Rule = S["Rule"];
export type RuleDraft = S["RuleBody"];
export type RuleEffect = S["DryOutcome"];
export type DryRun = S["DryRun"];
export type Kind = S["Kind"];
export type KindField = S["Field"];
export type Channel = S["Channel"];
export type Note = S["Note"];
export type Trial = S["Trial"];
export type LedgerEntry = S["Arrival"];
export type LedgerOriginal = S["Original"];
export type LoginSession = S["SessionRow"];
export type ApiToken = S["Token"];

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
