// `g` and then a letter opens a page, from anywhere but a text field.
import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { pages } from "./nav";

export function useGoKeys(): void {
  const navigate = useNavigate();
  useEffect(() => {
    let pressed = 0;
    const onKey = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
        return;
      if (event.key === "g") {
        pressed = event.timeStamp;
        return;
      }
      const page = event.timeStamp - pressed < 1500 ? pages.find((each) => each.key === event.key) : undefined;
      pressed = 0;
      if (!page) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      void navigate({ to: page.to });
    };
    window.addEventListener("keydown", onKey, true);
    return () => window.removeEventListener("keydown", onKey, true);
  }, [navigate]);
}
