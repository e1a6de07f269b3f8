// A question before something is taken away: names what it is and what happens.
import { Button, Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { ApiError } from "../api/client";
import classes from "./confirm.module.css";

type Props = {
  opened: boolean;
  title: string;
  children: ReactNode;
  action: string;
  busy: boolean;
  error: Error | null;
  onConfirm: () => void;
  onClose: () => void;
};

export function Confirm({ opened, title, children, action, busy, error, onConfirm, onClose }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title={title} size={440}>
      <div>{children}</div>
      {error && (
        <div className={classes.error} role="alert">
          {error.message}
          {error instanceof ApiError && error.fix ? ` ${error.fix}` : ""}
        </div>
      )}
      <div className={classes.actions}>
        <Button variant="default" onClick={onClose} data-autofocus>
          Keep it
        </Button>
        <Button color="red" onClick={onConfirm} loading={busy}>
          {action}
        </Button>
      </div>
    </Modal>
  );
}
