/** Where a log writes in tests: keeps every line, as it was written and read. */
export class LogLines {
  readonly text: string[] = [];

  write(line: string): void {
    this.text.push(line);
  }

  get all(): Record<string, unknown>[] {
    return this.text.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** The lines that say so, without the time at which they did. */
  saying(msg: string): Record<string, unknown>[] {
    return this.all.filter((line) => line.msg === msg).map(({ time: _time, ...line }) => line);
  }
}
