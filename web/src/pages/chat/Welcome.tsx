// The empty conversation: who answers, and questions to begin with.
import { IconArrowRight } from "@tabler/icons-react";
import type { App } from "../../api/types";
import { Logo } from "../../shell/Logo";
import classes from "./Chat.module.css";

export function Welcome({ app, onAsk }: { app: App; onAsk: (question: string) => void }) {
  return (
    <div className={classes.welcome}>
      <Logo size={36} />
      <h2 className={classes.welcomeTitle}>{app.author ? `Ask what ${app.author} has written` : `Ask ${app.title}`}</h2>
      <p className={classes.welcomeText}>{app.description}</p>
      {app.suggestions.length > 0 && (
        <ul className={classes.suggestions}>
          {app.suggestions.map((question) => (
            <li key={question}>
              <button type="button" className={classes.suggestion} onClick={() => onAsk(question)}>
                <span>{question}</span>
                <IconArrowRight size={15} aria-hidden />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
