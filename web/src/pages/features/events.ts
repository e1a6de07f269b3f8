// Follows a running build over its event stream.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { Build } from "../../api/types";

/** The build as it is right now. When it ends, everything that shows features is asked for again. */
export function useBuildEvents(build: Build): Build {
  const queries = useQueryClient();
  const [live, setLive] = useState(build);
  useEffect(() => {
    const source = new EventSource(`/api/v1/features/builds/${encodeURIComponent(build.id)}/events`);
    source.addEventListener("progress", (event) => setLive(JSON.parse((event as MessageEvent<string>).data) as Build));
    source.addEventListener("end", () => {
      source.close();
      void queries.invalidateQueries({ queryKey: ["features"] });
      void queries.invalidateQueries({ queryKey: ["documents"] });
      void queries.invalidateQueries({ queryKey: ["overview"] });
    });
    return () => source.close();
  }, [build.id, queries]);
  return live;
}
