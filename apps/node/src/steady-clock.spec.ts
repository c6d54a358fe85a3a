import { SteadyClock } from './steady-clock';

function build() {
  const time = { day: 5_000_000, steady: 1_000 };
  const clock = new SteadyClock(
    () => time.day,
    () => time.steady,
  );
  const pass = (day: number, steady: number): void => {
    time.day += day;
    time.steady += steady;
  };
  return { clock, pass };
}

it('goes on while the machine sleeps, once it has looked', () => {
  const { clock, pass } = build();
  const { wallOffset } = clock;
  pass(1_000, 1_000);
  expect(clock.look()).toBe(false);
  expect(clock.now()).toBe(2_000);
  pass(3_600_000, 500);
  expect(clock.look()).toBe(true);
  expect(clock.now()).toBe(2_000 + 3_600_000);
  expect(clock.wallOffset).toBe(wallOffset);
  expect(clock.look()).toBe(false);
});

it('does not go back when the clock is set back, nor follow small corrections', () => {
  const { clock, pass } = build();
  pass(-3_600_000, 1_000);
  expect(clock.look()).toBe(false);
  expect(clock.now()).toBe(2_000);
  for (let i = 0; i < 10; i++) {
    pass(1_900, 1_000);
    expect(clock.look()).toBe(false);
  }
  expect(clock.now()).toBe(12_000);
});
