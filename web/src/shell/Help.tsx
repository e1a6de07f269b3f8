// The list of keys behind `?`.
import { Kbd, Modal } from "@mantine/core";
import classes from "./Help.module.css";
import { pages } from "./nav";

const sections: { title: string; keys: [string[], string][] }[] = [
  {
    title: "Anywhere",
    keys: [
      [["Ctrl", "K"], "Command palette"],
      [["/"], "Search on this page"],
      [["?"], "This list"],
      [["Esc"], "Close"],
    ],
  },
  {
    title: "Lists",
    keys: [
      [["j"], "Next row"],
      [["k"], "Previous row"],
      [["Enter"], "Open"],
    ],
  },
  {
    title: "A trace",
    keys: [
      [["j"], "Next span"],
      [["k"], "Previous span"],
      [["←"], "Close a span"],
      [["→"], "Open a span"],
      [["["], "Previous trace of the list"],
      [["]"], "Next trace of the list"],
    ],
  },
  {
    title: "Chat",
    keys: [
      [["Enter"], "Ask"],
      [["Shift", "Enter"], "New line"],
      [["Esc"], "Stop the answer"],
    ],
  },
];

export function Help({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const go: [string[], string][] = pages.map((page) => [["g", page.key], page.title]);
  return (
    <Modal opened={opened} onClose={onClose} title="Keys" size={640}>
      <div className={classes.grid}>
        {[{ title: "Go to", keys: go }, ...sections].map((section) => (
          <section key={section.title}>
            <h3 className={classes.title}>{section.title}</h3>
            {section.keys.map(([keys, what]) => (
              <div key={what} className={classes.line}>
                <span>{what}</span>
                <span className={classes.keys}>
                  {keys.map((key) => (
                    <Kbd key={key} size="xs">
                      {key}
                    </Kbd>
                  ))}
                </span>
              </div>
            ))}
          </section>
        ))}
      </div>
    </Modal>
  );
}
