"""The operations on a user's tasks."""
from fastapi import APIRouter, Depends, HTTPException, Query, status
from sqlmodel import Session, select

from auth import check_owner, get_user_id_from_token
from database import get_session
from models import Task, TaskCompletion, TaskCreate, TaskResponse, TaskUpdate, now

router = APIRouter()


def find(session: Session, user_id: str, task_id: int) -> Task:
    task = session.get(Task, (user_id, task_id))
    if task is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "Task not found")
    return task


def save(session: Session, task: Task) -> Task:
    session.add(task)
    session.commit()
    session.refresh(task)
    return task


def change(session: Session, task: Task, values: dict) -> Task:
    task.sqlmodel_update(values)
    task.version += 1
    task.updated_at = now()
    return save(session, task)


@router.get("/{user_id}/tasks", response_model=list[TaskResponse])
def list_tasks(
    user_id: str,
    current_user_id: str = Depends(get_user_id_from_token),
    completed: bool | None = Query(None),
    limit: int = Query(50, ge=1, le=100),
    offset: int = Query(0, ge=0),
    session: Session = Depends(get_session),
):
    check_owner(user_id, current_user_id)
    query = select(Task).where(Task.user_id == user_id)
    if completed is not None:
        query = query.where(Task.completed == completed)
    return session.exec(query.order_by(Task.id.desc()).limit(limit).offset(offset)).all()


@router.post("/{user_id}/tasks", response_model=TaskResponse, status_code=status.HTTP_201_CREATED)
def create_task(
    user_id: str,
    task_create: TaskCreate,
    current_user_id: str = Depends(get_user_id_from_token),
    session: Session = Depends(get_session),
):
    check_owner(user_id, current_user_id)
    return save(session, Task(user_id=user_id, **task_create.model_dump()))


@router.put("/{user_id}/tasks/{task_id}", response_model=TaskResponse)
def update_task(
    user_id: str,
    task_id: int,
    task_update: TaskUpdate,
    current_user_id: str = Depends(get_user_id_from_token),
    session: Session = Depends(get_session),
):
    check_owner(user_id, current_user_id)
    task = find(session, user_id, task_id)
    return change(session, task, task_update.model_dump(exclude_unset=True))


@router.delete("/{user_id}/tasks/{task_id}", response_model=TaskResponse)
def delete_task(
    user_id: str,
    task_id: int,
    current_user_id: str = Depends(get_user_id_from_token),
    session: Session = Depends(get_session),
):
    check_owner(user_id, current_user_id)
    task = find(session, user_id, task_id)
    session.delete(task)
    session.commit()
    return task


@router.patch("/{user_id}/tasks/{task_id}/complete", response_model=TaskResponse)
def complete_task(
    user_id: str,
    task_id: int,
    completion: TaskCompletion | None = None,
    current_user_id: str = Depends(get_user_id_from_token),
    session: Session = Depends(get_session),
):
    """Sets `completed` to the body's value; without a body, toggles it."""
    check_owner(user_id, current_user_id)
    task = find(session, user_id, task_id)
    wanted = completion.completed if completion else None
    return change(session, task, {"completed": not task.completed if wanted is None else wanted})
