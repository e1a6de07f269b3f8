// Names for the generated schemas that pages use, and the few shapes of the chat stream that OpenAPI does not describe.
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Session = Schemas["Viewer"];
export type Overview = Schemas["Overview"];
export type Hop = Schemas["Hop"];
export type AttentionItem = Schemas["Attention"];
export type App = Schemas["AppView"];
export type TraceRow = Schemas["TraceSummary"];
export type TraceStats = Schemas["TraceStats"];
export type Trace = Schemas["TraceTree"];
export type Span = Schemas["SpanView"];
export type Status = Schemas["TraceStatus"];
export type Kind = Schemas["SpanKind"];
export type Endpoint = Schemas["Endpoint"];
export type Features = Schemas["FeatureOverview"];
export type Build = Schemas["FeatureBuild"];
export type DocumentRow = Schemas["Document"];
export type DocumentDetail = Schemas["DocumentDetail"];
export type Chunk = Schemas["Chunk"];
export type ApiKey = Schemas["ApiKey"];
export type Role = Session["role"];

/** One passage that an answer may cite by its number. */
export type Source = {
  number: number;
  chunk_id: string;
  document_id: string;
  title: string;
  heading: string;
  author: string;
  url: string;
  text: string;
  score: number;
  rank_dense?: number;
  rank_lexical?: number;
};
export type Timings = { retrieval_ms?: number; first_token_ms?: number; total_ms?: number };
export type Usage = { prompt_tokens: number; completion_tokens: number };
