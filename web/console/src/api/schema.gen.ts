// Placeholder until generated: npm run gen -- SPEC -o console/src/api/schema.gen.ts
// biome-ignore lint/suspicious/noExplicitAny: replaced by the generated types
export type paths = any;
