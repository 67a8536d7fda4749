// Preloaded with --import: this process's wall clock is CLOCK_SHIFT_MS ahead (negative: behind). Its timers are not.
const shift = Number(process.env.CLOCK_SHIFT_MS ?? 0);
const RealDate = globalThis.Date;

globalThis.Date = new Proxy(RealDate, {
  construct: (Target, args, newTarget) =>
    Reflect.construct(Target, args.length === 0 ? [RealDate.now() + shift] : args, newTarget),
  apply: () => new RealDate(RealDate.now() + shift).toString(),
  get: (target, name) => (name === 'now' ? () => RealDate.now() + shift : Reflect.get(target, name)),
});
