/** A wait that can be cut short for good. */
export class Pause {
  private cut: (() => void) | null = null;
  private isOver = false;

  wait(ms: number): Promise<void> {
    if (this.isOver) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.cut = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  end(): void {
    this.isOver = true;
    this.cut?.();
  }
}
