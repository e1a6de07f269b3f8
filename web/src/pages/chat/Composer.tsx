// Where the question is written: Enter asks, Shift-Enter breaks the line, Esc stops the answer.
import { ActionIcon, Textarea, Tooltip } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { IconArrowUp, IconPlayerStopFilled } from "@tabler/icons-react";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { usePhone } from "../../parts/table";
import classes from "./Chat.module.css";

type Props = { initial: string; busy: boolean; onSend: (question: string) => void; onStop: () => void; name: string };

export function Composer({ initial, busy, onSend, onStop, name }: Props) {
  const [text, setText] = useState(initial);
  const box = useRef<HTMLTextAreaElement>(null);
  const phone = usePhone();
  useHotkeys(
    [
      ["/", () => box.current?.focus()],
      ["Escape", onStop],
    ],
    ["INPUT"],
  );
  useEffect(() => {
    if (!phone) box.current?.focus();
  }, [phone]);
  const submit = () => {
    const question = text.trim();
    if (!question || busy) return;
    setText("");
    onSend(question);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      submit();
    }
    if (event.key === "Escape" && busy) onStop();
  };
  return (
    <div className={classes.composer}>
      <div className={classes.field}>
        <Textarea
          ref={box}
          aria-label="Your question"
          placeholder={`Ask ${name}…`}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          autosize
          minRows={1}
          maxRows={8}
          variant="unstyled"
          className={classes.input}
        />
        {busy ? (
          <Tooltip label="Stop the answer (Esc)">
            <ActionIcon variant="filled" color="dark" size={32} onClick={onStop} aria-label="Stop the answer">
              <IconPlayerStopFilled size={14} />
            </ActionIcon>
          </Tooltip>
        ) : (
          <Tooltip label="Ask (Enter)">
            <ActionIcon variant="filled" color="indigo" size={32} onClick={submit} disabled={!text.trim()} aria-label="Ask">
              <IconArrowUp size={17} />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
      <p className={classes.hint}>Answers come from a small model and can be wrong: check the sources.</p>
    </div>
  );
}
